<?php

// Sends one message as PHP applications do without a library: a stream context that posts JSON.
// Usage: PANELSMS_URL=http://127.0.0.1:7670 php client.php '{"to": "+1222333444", "message": "Hello"}'

declare(strict_types=1);

function sendSms(array $sms): string
{
    $context = stream_context_create([
        'http' => [
            'method' => 'POST',
            'header' => ['Content-Type: application/json', 'Accept: application/json'],
            'content' => json_encode($sms, JSON_THROW_ON_ERROR),
            'timeout' => 20,
        ],
    ]);
    $answer = file_get_contents(getenv('PANELSMS_URL') . '/sendMtSms.php', false, $context);
    if ($answer === false) {
        fwrite(STDERR, "no answer\n");
        exit(1);
    }
    return $answer;
}

$credentials = ['user' => 'you@example.com', 'apiKey' => 'secret'];
$answer = sendSms(json_decode($argv[1], true, flags: JSON_THROW_ON_ERROR) + $credentials);
$decoded = json_decode($answer, true);

echo $answer, "\n";
echo ($decoded['response']['status'] ?? null) === 'OK' ? $decoded['response']['transactionId'] : 'refused', "\n";
