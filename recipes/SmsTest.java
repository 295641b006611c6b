// Java 17's HttpClient against a sandbox; nothing to install.
//
//     panelsms-sandbox serve &
//     PANELSMS_SANDBOX_URL=http://127.0.0.1:7670 java SmsTest.java
//
// The tests talk to a session of their own, so that they disturb nobody who uses the same sandbox.

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

import static java.nio.charset.StandardCharsets.UTF_8;

public class SmsTest {

    // -- the client: in your project this is a class of its own -------------------------------------------------

    static class SmsRefused extends RuntimeException {
        final int code;

        SmsRefused(int code) {
            super("the API answered ERROR_" + code);
            this.code = code;
        }
    }

    record SmsClient(String baseUrl, int attempts) {
        /** Send a message, and return its transaction id; where the queue is full, try again. */
        String send(String to, String message, Map<String, String> more) throws IOException, InterruptedException {
            var parameters = new LinkedHashMap<>(Map.of("user", "you@example.com", "apiKey", "secret"));
            parameters.putAll(Map.of("to", to, "message", message));
            parameters.putAll(more);
            var form = parameters.entrySet().stream()
                .map(each -> each.getKey() + "=" + URLEncoder.encode(each.getValue(), UTF_8))
                .collect(Collectors.joining("&"));
            var request = HttpRequest.newBuilder(URI.create(baseUrl + "/sendMtSms.php"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .timeout(Duration.ofSeconds(10))
                .POST(BodyPublishers.ofString(form))
                .build();
            for (int attempt = 1; ; attempt++) {
                var response = HTTP.send(request, BodyHandlers.ofString());
                if (response.statusCode() != 200) {
                    throw new IOException("HTTP " + response.statusCode());
                }
                if (response.body().startsWith("OK_")) {
                    return response.body().substring("OK_".length());
                }
                int code = Integer.parseInt(response.body().substring("ERROR_".length()));
                if (code != 6 || attempt == attempts) {
                    throw new SmsRefused(code);
                }
            }
        }
    }

    // -- the sandbox, and a receiver of reports -----------------------------------------------------------------

    static final HttpClient HTTP = HttpClient.newHttpClient();
    static final String SERVER = System.getenv().getOrDefault("PANELSMS_SANDBOX_URL", "http://127.0.0.1:7670");
    static final String SESSION = SERVER + "/s/java-" + ProcessHandle.current().pid();
    static final List<String> REPORTS = new CopyOnWriteArrayList<>();

    /** Ask the control API: control("POST", "clock/advance", "{\"by\": \"1h\"}"). */
    static String control(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(SESSION + path))
            .method(method, BodyPublishers.ofString(body))
            .build();
        var response = HTTP.send(request, BodyHandlers.ofString());
        check(response.statusCode() < 300, method + " " + path + ": " + response.body());
        return response.body();
    }

    static HttpServer receiver() throws IOException {
        var receiver = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        receiver.createContext("/dlr", exchange -> {
            REPORTS.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        receiver.start();
        return receiver;
    }

    // -- the tests ----------------------------------------------------------------------------------------------

    interface Test {
        void run() throws IOException, InterruptedException;
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        var receiver = receiver();
        try {
            boolean passed = run(tests("http://127.0.0.1:" + receiver.getAddress().getPort() + "/dlr"));
            control("DELETE", "", "");
            System.exit(passed ? 0 : 1);
        } finally {
            receiver.stop(0);
        }
    }

    static Map<String, Test> tests(String callbackUrl) {
        var asked = Map.of("confirmation", "true", "callbackUrl", callbackUrl);
        var client = new SmsClient(SESSION, 3);
        var tests = new LinkedHashMap<String, Test>();

        tests.put("a message is delivered", () -> {
            var id = client.send("+34600000001", "Código 1234", asked);
            var message = control("GET", "/_sandbox/messages/latest", "");
            check(message.contains("\"text\":\"Código 1234\""), message);
            // Answers when the reports of that second have been taken.
            control("POST", "/_sandbox/clock/advance", "{\"by\": \"1s\"}");
            check(REPORTS.size() == 1, REPORTS.toString());
            check(REPORTS.get(0).startsWith("{\"transactionId\":\"" + id + "\",\"status\":\"delivered\""), REPORTS.get(0));
        });
        tests.put("an empty account is told by its code", () -> {
            try {
                client.send("+15005550009", "Hello", Map.of());
                check(false, "it was accepted");
            } catch (SmsRefused refused) {
                check(refused.code == 9, refused.getMessage());
            }
            check(control("GET", "/_sandbox/messages", "").contains("\"total\":0"), "a message was accepted");
        });
        tests.put("a queue that is full twice is survived", () -> {
            control("PUT", "/_sandbox/scenario", """
                {"yaml": "{name: full, rules: [{when: {to: {prefix: '+34'}, nth: [1, 2]}, respond: {error: 6}}]}"}""");
            client.send("+34600000001", "Hello", Map.of());
            var refused = control("GET", "/_sandbox/requests?error=6", "");
            check(refused.contains("\"total\":2"), refused);
            control("POST", "/_sandbox/verify", """
                {"match": {"to": "+34600000001"}, "count": {"exactly": 1}}""");
        });
        tests.put("a broken connection is an exception", () -> {
            try {
                client.send("+15005552003", "Hello", Map.of());
                check(false, "it was answered");
            } catch (IOException broken) {
                check(control("GET", "/_sandbox/messages", "").contains("\"total\":0"), "a message was accepted");
            }
        });
        tests.put("a message expires after two days", () -> {
            client.send("+15005551004", "Hello", asked);
            control("POST", "/_sandbox/clock/advance", "{\"by\": \"48h\"}");
            check(REPORTS.size() == 1 && REPORTS.get(0).contains("\"status\":\"expired\""), REPORTS.toString());
        });
        return tests;
    }

    static boolean run(Map<String, Test> tests) throws IOException, InterruptedException {
        boolean passed = true;
        for (var test : tests.entrySet()) {
            control("POST", "/_sandbox/reset", "");
            control("PUT", "/_sandbox/clock", "{\"mode\": \"virtual\"}");
            REPORTS.clear();
            try {
                test.getValue().run();
                System.out.println("ok      " + test.getKey());
            } catch (IOException | RuntimeException | AssertionError error) {
                passed = false;
                System.out.println("FAILED  " + test.getKey() + ": " + error.getMessage());
            }
        }
        return passed;
    }
}
