//! OpenEnv's WebSocket, byte by byte.

use crate::common::environment;
use crate::socket::Server;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The least WebSocket client that there can be: whole frames, a mask of zeros.
struct Client(TcpStream);

impl Client {
    async fn connect(server: &Server, path: &str) -> Client {
        let mut stream = server.connect().await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Client(stream)
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.expect("sent");
    }

    async fn receive(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let kind = self.0.read_u8().await.expect("a frame") & 0x0f;
            let length = match self.0.read_u8().await.expect("a length") {
                126 => self.0.read_u16().await.expect("a length") as usize,
                127 => self.0.read_u64().await.expect("a length") as usize,
                short => short as usize,
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.expect("a payload");
            (kind, payload)
        };
        tokio::time::timeout(Duration::from_secs(10), read).await.expect("an answer in time")
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.send(TEXT, message.to_string().as_bytes()).await;
        let (kind, payload) = self.receive().await;
        assert_eq!(kind, TEXT);
        serde_json::from_slice(&payload).expect("JSON")
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let action = json!({"type": "call_tool", "tool_name": tool, "arguments": arguments});
        self.ask(json!({"type": "step", "data": action})).await["data"].clone()
    }
}

#[tokio::test]
async fn a_connection_is_a_session() {
    let server = Server::over(environment()).await;
    let mut one = Client::connect(&server, "/ws").await;
    let mut other = Client::connect(&server, "/e/counting/ws").await;
    let first = one.ask(json!({"type": "reset", "data": {"split": "test", "episode_id": "e"}})).await;
    assert_eq!(
        (&first["type"], &first["data"]["observation"]["task_id"]),
        (&json!("observation"), &json!("write"))
    );
    other.ask(json!({"type": "reset", "data": {"split": "test", "index": 0}})).await;
    // Clients ping all the time.
    one.send(PING, b"hi").await;
    assert_eq!(one.receive().await, (PONG, b"hi".to_vec()));
    let put = json!({"key": "b", "text": "there"});
    let done = one.call("put", put).await;
    assert_eq!((&done["reward"], &done["done"]), (&json!(1.0), &json!(true)), "{done}");
    let unseen = other.call("get", json!({"key": "b"})).await;
    assert_eq!(unseen["observation"]["error"]["error_type"], "execution_error", "{unseen}");
    let state = one.ask(json!({"type": "state"})).await["data"].clone();
    assert_eq!((&state["episode_id"], &state["step_count"]), (&json!("e"), &json!(1)), "{state}");
    let listed =
        one.ask(json!({"type": "mcp", "data": {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}})).await;
    assert_eq!((&listed["type"], &listed["data"]["id"]), (&json!("mcp"), &json!(3)), "{listed}");
    // The next reset begins anew.
    one.ask(json!({"type": "reset", "data": {"task_id": "write"}})).await;
    let gone = one.call("get", json!({"key": "b"})).await;
    assert!(gone["observation"]["error"].is_object(), "{gone}");
}

#[tokio::test]
async fn what_makes_no_sense_is_told_and_the_session_goes_on() {
    let server = Server::over(environment()).await;
    let mut client = Client::connect(&server, "/ws").await;
    let mut code = async |text: &str| {
        client.send(TEXT, text.as_bytes()).await;
        let (_, payload) = client.receive().await;
        let answer: Value = serde_json::from_slice(&payload).expect("JSON");
        answer["data"]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    assert_eq!(code("{oops").await, "INVALID_JSON");
    assert_eq!(code("{\"type\": \"dance\"}").await, "UNKNOWN_TYPE");
    assert_eq!(code("[]").await, "VALIDATION_ERROR");
    assert_eq!(code("{\"type\": \"reset\", \"data\": {\"task_id\": \"nothing\"}}").await, "VALIDATION_ERROR");
    assert_eq!(code("{\"type\": \"step\", \"data\": {\"type\": \"jump\"}}").await, "VALIDATION_ERROR");
    assert_eq!(code("{\"type\": \"step\", \"data\": {}}").await, "VALIDATION_ERROR");
    let read = client.call("get", json!({"key": "first"})).await;
    assert_eq!(read["observation"]["result"]["text"], "hello", "{read}");
    client.send(TEXT, b"{\"type\": \"close\"}").await;
    assert_eq!(client.receive().await.0, CLOSE);
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_session_along() {
    let server = Server::over(environment()).await;
    let mut client = Client::connect(&server, "/ws").await;
    client.ask(json!({"type": "reset"})).await;
    let id =
        client.ask(json!({"type": "state"})).await["data"]["session_id"].as_str().expect("an id").to_owned();
    assert_eq!(server.ask("GET", &format!("/v1/sessions/{id}"), "").await.0, 200);
    drop(client);
    for _ in 0..100 {
        if server.ask("GET", &format!("/v1/sessions/{id}"), "").await.0 == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the session outlived its client");
}

#[tokio::test]
async fn an_attempt_that_exists_can_be_joined() {
    let server = Server::over(environment()).await;
    let session = json!({"id": "mine", "environment": "counting", "task": "write"}).to_string();
    assert_eq!(server.ask("POST", "/v1/sessions", &session).await.0, 201);
    let mut client = Client::connect(&server, "/ws?session_id=mine").await;
    assert_eq!(client.call("put", json!({"key": "b", "text": "there"})).await["reward"], 1.0);
    drop(client);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let score = server.ask("POST", "/v1/sessions/mine/reward", "{}").await.1;
    assert!(score.contains("\"reward\":1.0"), "{score}");
    let mut stranger = Client::connect(&server, "/ws?session_id=nobody").await;
    let (_, told) = stranger.receive().await;
    assert!(String::from_utf8_lossy(&told).contains("SESSION_ERROR"));
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let mut server = Server::over(environment()).await;
    let mut client = Client::connect(&server, "/ws").await;
    client.ask(json!({"type": "reset"})).await;
    let goodbye = async {
        let (kind, payload) = client.receive().await;
        assert_eq!((kind, payload.get(..2)), (CLOSE, Some(&1001u16.to_be_bytes()[..])));
        client.send(CLOSE, &payload).await;
    };
    let (took, ()) = tokio::join!(server.stop(), goodbye);
    assert!(took < Duration::from_secs(5), "{took:?}");
}
