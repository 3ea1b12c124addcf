<?php
// Just so much of Laravel and Guzzle as a service class needs: same names, same behaviour. Addresses are joined as Guzzle joins
// `base_uri` (RFC 3986: a path that begins with a slash replaces the whole path), answers from 400 on are exceptions.

namespace GuzzleHttp\Exception {
    interface GuzzleException extends \Throwable
    {
    }
    class RequestException extends \RuntimeException implements GuzzleException
    {
    }
}

namespace GuzzleHttp {
    class Answer
    {
        public function __construct(private string $body)
        {
        }
        public function getBody(): self
        {
            return $this;
        }
        public function getContents(): string
        {
            return $this->body;
        }
    }

    class Client
    {
        public function __construct(private array $settings)
        {
        }

        public function request(string $method, string $path, array $options = []): Answer
        {
            $base = parse_url($this->settings['base_uri']);
            $url = "{$base['scheme']}://{$base['host']}:{$base['port']}"
                . (str_starts_with($path, '/') ? $path : dirname($base['path']) . "/$path");
            if (isset($options['query'])) {
                $url .= '?' . http_build_query($options['query']);
            }
            $headers = $options['headers'] + $this->settings['headers'];
            $call = curl_init($url);
            curl_setopt_array($call, [
                CURLOPT_CUSTOMREQUEST => $method,
                CURLOPT_HTTPHEADER => array_map(fn ($name) => "$name: {$headers[$name]}", array_keys($headers)),
                CURLOPT_POSTFIELDS => isset($options['json']) ? json_encode($options['json']) : '',
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_TIMEOUT => $this->settings['timeout'],
            ]);
            if ($method === 'GET') {
                curl_setopt($call, CURLOPT_HTTPGET, true);
            }
            $body = curl_exec($call);
            if ($body === false) {
                throw new Exception\RequestException(curl_error($call));
            }
            $status = curl_getinfo($call, CURLINFO_RESPONSE_CODE);
            if ($status >= 400) {
                throw new Exception\RequestException("`$method $url` resulted in a `$status` response:\n$body", $status);
            }
            return new Answer($body);
        }
    }
}

namespace Illuminate\Support\Facades {
    class Cache
    {
        private static array $kept = [];
        public static function put(string $key, mixed $value): void
        {
            self::$kept[$key] = $value;
        }
        public static function get(string $key): mixed
        {
            return self::$kept[$key] ?? null;
        }
    }

    class Log
    {
        public static array $errors = [];
        public static function error(string $line): void
        {
            self::$errors[] = $line;
        }
    }
}

namespace {
    function config(string $key): mixed
    {
        return $GLOBALS['config'][$key] ?? null;
    }

    function route(string $name): string
    {
        return "http://127.0.0.1:9/$name";
    }
}
