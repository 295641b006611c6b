<?php
// A PHP script against a sandbox; nothing to install.
//
//     panelsms-sandbox serve &
//     PANELSMS_SANDBOX_URL=http://127.0.0.1:7670 php sms_test.php
//
// The tests talk to a session of their own, so that they disturb nobody who uses the same sandbox.

declare(strict_types=1);

// -- the receiver of reports: `php -S` runs this very file for each of them -------------------------------------

if (PHP_SAPI === 'cli-server') {
    file_put_contents(getenv('REPORTS'), file_get_contents('php://input') . "\n", FILE_APPEND | LOCK_EX);
    http_response_code(204);
    exit;
}

// -- the client: in your project this is a class of its own ------------------------------------------------------

final class SmsRefused extends RuntimeException
{
}

final class SmsClient
{
    public function __construct(private string $baseUrl, private int $attempts = 3)
    {
    }

    /** Send a message, and return its transaction id; where the queue is full, try again. */
    public function send(string $to, string $message, array $more = []): string
    {
        $parameters = ['user' => 'you@example.com', 'apiKey' => 'secret', 'to' => $to, 'message' => $message];
        for ($attempt = 1; ; $attempt++) {
            [$status, $answer] = http('POST', "$this->baseUrl/sendMtSms.php", $parameters + $more);
            if ($status !== 200) {
                throw new RuntimeException("HTTP $status");
            }
            if (!preg_match('/^ERROR_(\d+)/', $answer, $found)) { // an error is bare text, also where JSON was asked for
                return json_decode($answer, true)['response']['transactionId'];
            }
            if ($found[1] !== '6' || $attempt === $this->attempts) {
                throw new SmsRefused($answer, (int) $found[1]);
            }
        }
    }
}

/** Return the status and the body that a request is answered with; the status is 0 where no answer comes. */
function http(string $method, string $url, ?array $body = null): array
{
    $answer = @file_get_contents($url, false, stream_context_create(['http' => [
        'method' => $method,
        'header' => 'Content-Type: application/json',
        'content' => $body === null ? '' : json_encode($body),
        'ignore_errors' => true,
        'timeout' => 10,
    ]]));
    return [(int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0), (string) $answer];
}

// -- the sandbox, and the receiver, started ---------------------------------------------------------------------

$server = getenv('PANELSMS_SANDBOX_URL') ?: 'http://127.0.0.1:7670';
$session = "$server/s/php-" . getmypid();

/** Ask the control API: control('POST', 'clock/advance', ['by' => '1h']). */
function control(string $method, string $path, ?array $body = null): array
{
    global $session;
    [$status, $answer] = http($method, "$session/_sandbox/$path", $body);
    $status < 300 && $status > 0 or throw new RuntimeException("$method $path: HTTP $status $answer");
    return json_decode($answer, true);
}

$reports = tempnam(sys_get_temp_dir(), 'reports');
$free = stream_socket_server('tcp://127.0.0.1:0'); // a port that nobody has
$address = stream_socket_get_name($free, false);
fclose($free);
$command = [PHP_BINARY, '-S', $address, __FILE__];
$receiver = proc_open($command, [2 => ['pipe', 'w']], $pipes, null, ['REPORTS' => $reports] + getenv());
fgets($pipes[2]); // it says that it has started

register_shutdown_function(function () use ($receiver, $reports, $session) {
    proc_terminate($receiver);
    unlink($reports);
    http('DELETE', $session);
});

/** Return the reports that have come. */
function reports(): array
{
    global $reports;
    return array_map(fn ($line) => json_decode($line, true), file($reports));
}

// -- the tests -----------------------------------------------------------------------------------------------------

$asked = ['confirmation' => true, 'callbackUrl' => "http://$address/dlr"];
$client = new SmsClient($session);

$tests = [
    'a message is delivered' => function () use ($client, $asked) {
        $id = $client->send('+34600000001', 'Código 1234', $asked);
        same('Código 1234', control('GET', 'messages/latest')['text']);
        control('POST', 'clock/advance', ['by' => '1s']); // answers when the reports of that second have been taken
        same([[$id, 'delivered']], array_map(fn ($one) => [$one['transactionId'], $one['status']], reports()));
    },
    'an empty account is told by its code' => function () use ($client) {
        try {
            $client->send('+15005550009', 'Hello');
            same('a refusal', 'none');
        } catch (SmsRefused $refused) {
            same(9, $refused->getCode());
        }
        same(0, control('GET', 'messages')['total']);
    },
    'a queue that is full twice is survived' => function () use ($client) {
        $rule = ['when' => ['to' => ['prefix' => '+34'], 'nth' => [1, 2]], 'respond' => ['error' => 6]];
        control('PUT', 'scenario', ['yaml' => json_encode(['name' => 'full', 'rules' => [$rule]])]);
        $client->send('+34600000001', 'Hello');
        same(2, control('GET', 'requests?error=6')['total']);
        control('POST', 'verify', ['match' => ['to' => '+34600000001'], 'count' => ['exactly' => 1]]);
    },
    'a message expires after two days' => function () use ($client, $asked) {
        $client->send('+15005551004', 'Hello', $asked);
        control('POST', 'clock/advance', ['by' => '48h']);
        same('expired', reports()[0]['status']);
    },
];

function same(mixed $expected, mixed $actual): void
{
    $expected === $actual or throw new RuntimeException(
        'expected ' . json_encode($expected) . ', got ' . json_encode($actual)
    );
}

$failed = 0;
foreach ($tests as $name => $test) {
    control('POST', 'reset');
    control('PUT', 'clock', ['mode' => 'virtual']);
    file_put_contents($reports, '');
    try {
        $test();
        echo "ok      $name\n";
    } catch (Throwable $error) {
        $failed++;
        echo "FAILED  $name: {$error->getMessage()}\n";
    }
}
exit($failed ? 1 : 0);
