<?php
// How a CRM in PHP speaks to its gateway: one client, one token, `data` of the answer or the whole of it.

namespace App\Services;

use GuzzleHttp\Client;
use GuzzleHttp\Exception\GuzzleException;
use Illuminate\Support\Facades\Cache;
use Illuminate\Support\Facades\Log;

class WhatsAppService
{
    private Client $http;
    private string $token;

    public function __construct()
    {
        $this->token = Cache::get('whatsapp_api_token') ?? config('services.whatsapp.token') ?? '';
        $this->http = new Client([
            'base_uri' => config('services.whatsapp.api_url'),
            'timeout' => 30,
            'headers' => ['Accept' => 'application/json'],
        ]);
    }

    private function ask(string $method, string $path, array $given = []): array
    {
        $options = ['headers' => ['Authorization' => "Bearer $this->token", 'Content-Type' => 'application/json']];
        if ($given !== []) {
            $options[$method === 'GET' ? 'query' : 'json'] = $given;
        }
        try {
            $body = json_decode($this->http->request($method, $path, $options)->getBody()->getContents(), true);
        } catch (GuzzleException $error) {
            Log::error($error->getMessage());
            return ['success' => false, 'data' => null, 'message' => $error->getMessage()];
        }
        return ['success' => true, 'data' => $body['data'] ?? $body, 'message' => $body['message'] ?? 'Success'];
    }

    public function login(string $email, string $password): array
    {
        return $this->ask('POST', '/auth/login', compact('email', 'password'));
    }

    public function saveToken(string $token): void
    {
        Cache::put('whatsapp_api_token', $token);
        $this->token = $token;
    }

    public function createSession(string $name): array
    {
        return $this->ask('POST', '/sessions', ['session_id' => $name, 'webhook_url' => route('webhook.whatsapp')]);
    }

    public function getAllSessions(): array
    {
        return $this->ask('GET', '/sessions');
    }

    public function getQRCode(string $session): array
    {
        return $this->ask('GET', "/sessions/$session/qr");
    }

    public function getSessionStatus(string $session): array
    {
        return $this->ask('GET', "/sessions/$session/status");
    }

    public function disconnectSession(string $session): array
    {
        return $this->ask('DELETE', "/sessions/$session");
    }

    public function getConversations(string $session, array $filters = []): array
    {
        return $this->ask('GET', "/sessions/$session/chats", $filters);
    }

    public function searchConversations(string $session, string $query): array
    {
        return $this->ask('GET', "/sessions/$session/chats/search", compact('query'));
    }

    public function getMessages(string $session, string $chatId, int $limit = 50): array
    {
        return $this->ask('GET', "/sessions/$session/messages", compact('chatId', 'limit'));
    }

    public function markAsRead(string $session, string $chat): array
    {
        return $this->ask('POST', "/sessions/$session/chats/$chat/read");
    }

    public function sendTextMessage(string $session, string $phone, string $message): array
    {
        return $this->ask('POST', "/sessions/$session/messages/text", compact('phone', 'message'));
    }

    public function sendImage(string $session, string $phone, string $image, string $caption = ''): array
    {
        return $this->ask('POST', "/sessions/$session/messages/image", compact('phone', 'image', 'caption'));
    }

    public function sendDocument(string $session, string $phone, string $document, string $filename): array
    {
        return $this->ask('POST', "/sessions/$session/messages/document", compact('phone', 'document', 'filename'));
    }

    public function sendTemplate(string $session, string $phone, string $template_id, array $variables = []): array
    {
        return $this->ask('POST', "/sessions/$session/messages/template", compact('phone', 'template_id', 'variables'));
    }

    public function getContactInfo(string $session, string $phone): array
    {
        return $this->ask('GET', "/sessions/$session/contacts/$phone");
    }

    public function checkNumberRegistered(string $session, string $phone): array
    {
        return $this->ask('GET', "/sessions/$session/contacts/$phone/check");
    }

    public function getProfilePicture(string $session, string $phone): array
    {
        return $this->ask('GET', "/sessions/$session/contacts/$phone/picture");
    }
}
