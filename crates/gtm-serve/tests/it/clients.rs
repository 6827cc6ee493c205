//! Clients of trainers that nobody here wrote, unmodified, over a socket. `tests/clients/setup.sh` installs
//! them; what is not installed is skipped, with the reason printed.

use crate::common::travel;
use crate::socket::Server;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program installed by `tests/clients/setup.sh`, or `None` with a printed reason.
fn client(path: &str) -> Option<PathBuf> {
    let path = root().join("target/clients").join(path);
    if !path.exists() {
        println!("skipped: {} is not installed; run tests/clients/setup.sh", path.display());
        return None;
    }
    Some(path)
}

/// Runs a client to its end, which must be a good one; gives its output.
async fn succeed(program: PathBuf, args: Vec<String>) -> String {
    let run = move || Command::new(program).args(args).output().expect("the client runs");
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Runs one of our scripts under a client's own Python, against a server of the example's tasks.
async fn drive(client_name: &str, script: &str) {
    let Some(python) = client(&format!("{client_name}/bin/python")) else { return };
    let server = Server::over(travel()).await;
    let script = root().join("tests/clients").join(script).to_string_lossy().into_owned();
    let told = succeed(python, vec![script, format!("http://{}", server.addr)]).await;
    assert!(told.ends_with("ok\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openai_sdk() {
    drive("openai", "openai_chat.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_openenv() {
    drive("openenv", "openenv_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_validator_of_openenv() {
    let Some(openenv) = client("openenv/bin/openenv") else { return };
    let server = Server::over(travel()).await;
    for base in ["", "/e/travel"] {
        let url = format!("http://{}{base}", server.addr);
        let told = succeed(openenv.clone(), vec!["validate".into(), "--url".into(), url]).await;
        assert!(told.contains("openenv-http/1.x"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openreward_sdk() {
    drive("openreward", "ors_client.py").await;
}
