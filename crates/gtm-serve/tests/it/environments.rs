//! Attempts at tasks, over the session API and the dialects that need no connection of their own.

use crate::common::{Answer, counting, get, plain, post, send};
use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};

async fn create(router: &Router, id: &str, task: &str) {
    let made = post(router, "/v1/sessions", json!({"id": id, "environment": "counting", "task": task})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

async fn put(router: &Router, session: &str, key: &str, text: &str) {
    let call = json!({"tool": "put", "arguments": {"key": key, "text": text}});
    let made = post(router, &format!("/v1/sessions/{session}/call"), call).await.json();
    assert_eq!(made["is_error"], false, "{made}");
}

async fn reward(router: &Router, session: &str) -> f64 {
    let score = post(router, &format!("/v1/sessions/{session}/reward"), json!({})).await.json();
    score["reward"].as_f64().unwrap_or_else(|| panic!("{score}"))
}

#[tokio::test]
async fn a_session_is_an_attempt_at_a_task() {
    let router = counting();
    create(&router, "a", "write").await;
    assert_eq!(reward(&router, "a").await, 0.0);
    put(&router, "a", "b", "there").await;
    assert_eq!(reward(&router, "a").await, 1.0);
    let score = post(&router, "/v1/sessions/a/reward", json!({})).await.json();
    assert_eq!(score["checks"][0]["why"], "it is \"there\"", "{score}");
    // Tools that the task does not have are not there.
    let refused = post(&router, "/v1/sessions/a/call", json!({"tool": "slow"})).await.json();
    assert_eq!(refused["error"]["kind"], "unknown_tool", "{refused}");
    // Going back is going back.
    post(&router, "/v1/sessions/a/reset", json!({})).await;
    assert_eq!(reward(&router, "a").await, 0.0);
    let none = post(&router, "/v1/sessions/a/reward", json!({"answers": 1})).await;
    assert_eq!((none.status, none.code().as_str()), (StatusCode::BAD_REQUEST, "GTM0401"));
}

#[tokio::test]
async fn an_answer_is_judged_with_the_reward() {
    let router = counting();
    create(&router, "a", "seven").await;
    let ask = async |answer: &str| {
        post(&router, "/v1/sessions/a/reward", json!({"answer": answer})).await.json()["reward"].as_f64()
    };
    assert_eq!(ask("goodbye").await, Some(0.0));
    assert_eq!(ask("Hello").await, Some(1.0));
}

#[tokio::test]
async fn a_group_goes_on_from_one_prefix() {
    let router = counting();
    let group = json!({"environment": "counting", "task": "write", "n": 3, "ids": ["x", "y", "z"],
        "prefix": [{"tool": "put", "arguments": {"key": "a", "text": "first"}}]});
    let made = post(&router, "/v1/groups", group).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (made["replies"].as_array().map(Vec::len), made["sessions"].as_array().map(Vec::len)),
        (Some(1), Some(3))
    );
    put(&router, "y", "b", "there").await;
    assert_eq!((reward(&router, "x").await, reward(&router, "y").await), (0.0, 1.0));
    // The session that they were forked from is gone.
    let sessions = get(&router, "/v1/sessions").await.json();
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(3), "{sessions}");
    for wrong in [json!({"n": 0}), json!({"n": 100_000}), json!({"n": 1, "ids": ["a", "b"]}), json!({})] {
        assert_eq!(post(&router, "/v1/groups", wrong).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn calls_of_several_sessions_in_one_request() {
    let router = counting();
    for id in ["a", "b"] {
        create(&router, id, "write").await;
    }
    let put = |session: &str, text: &str| json!({"session": session, "tool": "put", "arguments": {"key": "b", "text": text}});
    let calls = json!({"calls": [put("a", "there"), put("nobody", "x"), put("b", "elsewhere")]});
    let replies = post(&router, "/v1/call_batch", calls).await.json();
    assert_eq!(replies["replies"][0]["content"]["text"], "there", "{replies}");
    assert_eq!(replies["replies"][1]["problem"]["code"], "GTM0301", "{replies}");
    assert_eq!((reward(&router, "a").await, reward(&router, "b").await), (1.0, 0.0));
}

#[tokio::test]
async fn what_counts_as_done_is_told_nowhere() {
    let router = counting();
    let task = json!({"split": "train", "index": 0});
    let mut told = String::new();
    for answer in [
        get(&router, "/v1/environments").await,
        get(&router, "/v1/environments/counting/tasks").await,
        get(&router, "/list_environments").await,
        get(&router, "/counting/splits").await,
        post(&router, "/counting/tasks", json!({"split": "train"})).await,
        post(&router, "/counting/task", task).await,
        get(&router, "/e/counting/nemo_gym/dataset.jsonl").await,
        get(&router, "/e/counting/schema").await,
        get(&router, "/e/counting/metadata").await,
        get(&router, "/counting/tools").await,
    ] {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        told += &answer.text();
    }
    assert!(told.contains("What is the text"), "{told}");
    // `hello` is the answer to the first task.
    assert!(!told.contains("hello") && !told.contains("checks"), "{told}");
}

async fn ors(router: &Router, method: &str, path: &str, session: &str, body: Value) -> Answer {
    send(router, method, path, &[("x-session-id", session)], body.to_string()).await
}

/// The result of a call: what the last event says.
fn ended(answer: &Answer) -> Value {
    let text = answer.text();
    let last = text.split("event: end\ndata: ").nth(1).unwrap_or_else(|| panic!("{text}"));
    serde_json::from_str(last.trim()).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test]
async fn ors_from_beginning_to_end() {
    let router = counting();
    let made = post(&router, "/create_session", json!({})).await;
    assert_eq!(made.header("content-type"), "text/event-stream");
    let text = made.text();
    let sid =
        text.strip_prefix("event: task_id\ndata: ").and_then(|t| t.lines().next()).expect("an id").to_owned();
    assert!(text.ends_with("event: end\ndata: \n\n"), "{text}");
    let unknown = ors(&router, "POST", "/ping", &sid, json!({})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    let create = json!({"split": "test", "index": 0, "env_name": "counting"});
    assert_eq!(ors(&router, "POST", "/create", &sid, create.clone()).await.json(), json!({"sid": sid}));
    assert_eq!(ors(&router, "POST", "/create", &sid, create).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(ors(&router, "POST", "/ping", &sid, json!({})).await.status, StatusCode::OK);
    let prompt = ors(&router, "GET", "/prompt", &sid, json!({})).await.json();
    assert_eq!(prompt[0]["text"], "Write a note `b` that says `there`.");
    let tools = ors(&router, "GET", "/counting/tools", &sid, json!({})).await.json();
    let names: Vec<&str> =
        tools["tools"].as_array().expect("tools").iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["put", "get"]);

    let wrong = ended(&ors(&router, "POST", "/call", &sid, json!({"name": "slow", "input": {}})).await);
    assert_eq!((&wrong["ok"], &wrong["reason"]), (&json!(false), &json!("not_found")), "{wrong}");
    let call = json!({"name": "put", "input": {"key": "b", "text": "there"}, "task_id": "t1"});
    let done = ors(&router, "POST", "/call", &sid, call.clone()).await;
    assert!(done.text().starts_with("event: task_id\ndata: t1\n\n"), "{}", done.text());
    let output = ended(&done)["output"].clone();
    assert_eq!((&output["reward"], &output["finished"]), (&json!(1.0), &json!(true)), "{output}");
    // A client that was cut off asks again by the call's id, and gets the same, reward and all.
    assert_eq!(ended(&ors(&router, "POST", "/call", &sid, call).await)["output"], output);
    let over =
        ended(&ors(&router, "POST", "/call", &sid, json!({"name": "get", "input": {"key": "b"}})).await);
    assert_eq!(over["reason"], "episode_finished", "{over}");
    assert_eq!(ors(&router, "POST", "/delete", &sid, json!({})).await.status, StatusCode::OK);
    assert_eq!(ors(&router, "POST", "/delete", &sid, json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn ors_lists_tasks() {
    let router = counting();
    assert_eq!(get(&router, "/list_environments").await.json(), json!(["counting", "petstore"]));
    let splits = get(&router, "/counting/splits").await.json();
    assert_eq!(splits, json!([{"name": "train", "type": "train"}, {"name": "test", "type": "test"}]));
    let count = post(&router, "/counting/num_tasks", json!({"split": "train"})).await.json();
    assert_eq!(count, json!({"num_tasks": 1}));
    let range = post(&router, "/counting/task_range", json!({"split": "test", "start": -1})).await.json();
    assert_eq!(range["tasks"][0]["id"], "write", "{range}");
    assert_eq!(post(&router, "/counting/tasks", json!({"split": "x"})).await.code(), "GTM0310");
    assert_eq!(get(&router, "/nothing/splits").await.code(), "GTM0310");
}

#[tokio::test]
async fn nemo_gym_from_beginning_to_end() {
    let router = counting();
    let rows = get(&router, "/e/counting/nemo_gym/dataset.jsonl?split=train").await.text();
    let row: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
    assert_eq!(
        row["responses_create_params"]["input"][0]["content"],
        "What is the text of the note `first`?"
    );
    assert!(
        row["responses_create_params"]["tools"].as_array().is_some_and(|tools| tools.len() == 6),
        "{row}"
    );
    let seeded = post(&router, "/e/counting/nemo_gym/seed_session", row.clone()).await;
    let cookie =
        |answer: &Answer| answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let mine = cookie(&seeded);
    assert!(mine.starts_with("gtm_session="), "{mine}");
    let call = async |tool: &str, body: Value| {
        let path = format!("/e/counting/nemo_gym/{tool}");
        send(&router, "POST", &path, &[("cookie", &mine)], body.to_string()).await
    };
    let read = call("get", json!({"key": "first"})).await;
    assert_eq!((read.status, read.json()["text"].as_str()), (StatusCode::OK, Some("hello")));
    // Every answer carries the cookie, those of failures included.
    let failed = call("get", json!({"key": "none"})).await;
    assert_eq!((failed.status, cookie(&failed)), (StatusCode::NOT_FOUND, mine.clone()));
    let mut verify = row;
    verify["response"] =
        json!({"output": [{"type": "message", "content": [{"type": "output_text", "text": "hello"}]}]});
    let verified = call("verify", verify).await.json();
    assert_eq!((&verified["reward"], &verified["gtm_task"]), (&json!(1.0), &json!("seven")), "{verified}");
    let stranger = post(&router, "/e/counting/nemo_gym/get", json!({})).await;
    assert_eq!(stranger.code(), "GTM0301");
}

#[tokio::test]
async fn stable_tool_bench_changes_its_url_only() {
    let router = plain();
    let ask = async |body: Value| post(&router, "/virtual", body).await.json();
    let asked = json!({"category": "Data", "tool_name": "notes", "api_name": "get", "tool_input": "{\"key\": \"first\"}",
        "strip": "truncate", "toolbench_key": "k"});
    let got = ask(asked).await;
    assert_eq!(got["error"], "");
    let response: Value = serde_json::from_str(got["response"].as_str().expect("text")).expect("JSON");
    assert_eq!(response, json!({"key": "first", "text": "hello"}));
    let missing = ask(json!({"api_name": "get", "tool_input": {"key": "none"}})).await;
    assert!(missing["error"].as_str().is_some_and(|error| !error.is_empty()), "{missing}");
    assert_eq!(ask(json!({"api_name": "nothing"})).await["error"], "No such function name: nothing");
    assert_eq!(
        ask(json!({"api_name": "get", "tool_input": "{oops"})).await["error"],
        "Tool input parse error...\n"
    );
    // Calls stand alone, unless a header says whose they are.
    ask(json!({"api_name": "put", "tool_input": {"key": "k", "text": "v"}})).await;
    assert_ne!(ask(json!({"api_name": "get", "tool_input": {"key": "k"}})).await["error"], "");
    let body = json!({"api_name": "put", "tool_input": {"key": "k", "text": "v"}});
    ors(&router, "POST", "/virtual", "mine", body).await;
    let body = json!({"api_name": "get", "tool_input": {"key": "k"}});
    assert_eq!(ors(&router, "POST", "/virtual", "mine", body).await.json()["error"], "");
}

#[tokio::test]
async fn openenv_over_json_rpc() {
    for (router, path) in [(plain(), "/mcp"), (plain(), "/e/notes/mcp")] {
        let ask = async |method: &str, params: Value| {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let answer = send(&router, "POST", path, &[], message.to_string()).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            answer.json()
        };
        let made = ask("openenv/session/create", json!({})).await;
        let id = made["result"]["session_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let tools = ask("tools/list", json!({"session_id": id})).await;
        assert_eq!(tools["result"]["tools"][0]["name"], "put", "{tools}");
        let call = json!({"session_id": id, "name": "get", "arguments": {"key": "first"}});
        assert_eq!(ask("tools/call", call).await["result"]["data"]["text"], "hello");
        // Names that clients do not take are mended, and lead to the tool all the same.
        let mended = json!({"session_id": id, "name": "text_of", "arguments": {"key": "first"}});
        assert_eq!(ask("tools/call", mended).await["result"]["data"], "hello");
        let closed = ask("openenv/session/close", json!({"session_id": id})).await;
        assert_eq!(closed["result"]["closed"], true, "{closed}");
        let gone = ask("tools/list", json!({"session_id": id})).await;
        assert_eq!(gone["error"]["data"]["code"], "GTM0301", "{gone}");
    }
    // What the validator of OpenEnv sends.
    let probe = post(&plain(), "/mcp", json!({})).await;
    assert_eq!((probe.status, &probe.json()["error"]["code"]), (StatusCode::OK, &json!(-32600)));
}

#[tokio::test]
async fn openenv_without_a_connection() {
    let router = counting();
    let first = post(&router, "/reset", json!({"task_id": "write"})).await.json();
    assert_eq!(first["observation"]["task_id"], "write", "{first}");
    create(&router, "mine", "write").await;
    let action = json!({"type": "call_tool", "tool_name": "put", "arguments": {"key": "b", "text": "there"}});
    let step = json!({"action": action, "session_id": "mine", "request_id": "r1"});
    let done = post(&router, "/step", step.clone()).await.json();
    assert_eq!((&done["reward"], &done["done"]), (&json!(1.0), &json!(true)), "{done}");
    assert_eq!(post(&router, "/step", step).await.json(), done);
    let state = get(&router, "/state?session_id=mine").await.json();
    assert_eq!((&state["step_count"], &state["task_id"]), (&json!(1), &json!("write")), "{state}");
    assert_eq!(post(&router, "/reset", json!({"task_id": "nothing"})).await.code(), "GTM0310");
}

#[tokio::test]
async fn a_dialect_that_is_off_is_not_there() {
    use crate::common::{environment, server};
    let file = gtm_env::EnvironmentFile {
        dialects: Some([gtm_env::Dialect::Mcp].into()),
        ..gtm_env::EnvironmentFile::default()
    };
    let toolsets = environment().toolsets().map(|(name, made)| (name.to_owned(), made.clone())).collect();
    let quiet = gtm_env::Environment::new(&file, "quiet", toolsets, vec![]).expect("valid");
    let config = gtm_serve::ServerConfig { environments: vec![quiet.into()], ..Default::default() };
    let router = server(config).1;
    for path in ["/metadata", "/e/quiet/schema", "/tools", "/e/quiet/nemo_gym/dataset.jsonl"] {
        assert_eq!(get(&router, path).await.code(), "GTM0406", "{path}");
    }
    assert_eq!(post(&router, "/virtual", json!({"api_name": "get"})).await.code(), "GTM0406");
    assert_eq!(get(&router, "/v1/models/quiet").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn chats_are_answered_by_the_tools() {
    let router = counting();
    let chat = json!({"model": "counting", "messages": [{"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "get", "arguments": "{\"key\": \"first\"}"}}]}]});
    let answer = post(&router, "/v1/chat/completions", chat.clone()).await.json();
    assert_eq!(
        answer["choices"][0]["message"]["content"], "{\"key\":\"first\",\"text\":\"hello\"}",
        "{answer}"
    );
    let mut stream = chat;
    stream["stream"] = true.into();
    let text = post(&router, "/v1/chat/completions", stream).await.text();
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains("hello"), "{text}");
    for (wrong, status, param) in [
        (json!({"model": "counting", "messages": []}), 400, "messages"),
        (
            json!({"model": "nothing", "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "x"}}]}]}),
            404,
            "model",
        ),
        (json!({"messages": "x"}), 400, "body"),
    ] {
        let answer = post(&router, "/v1/chat/completions", wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        let place = answer.json()["error"]["param"].as_str().unwrap_or_default().to_owned();
        assert!(place.starts_with(param), "{}", answer.text());
    }
}
