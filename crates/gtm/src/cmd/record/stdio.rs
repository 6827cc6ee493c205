//! Recording an MCP server that speaks over standard input and output: to the client this process
//! is the server.

use super::messages::Conversation;
use super::recorder::Recorder;
use gtm_error::{Code, Error, Result};
use std::future::Future;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

/// Longest message that is read along; longer ones are passed through in parts.
const MAX_MESSAGE: usize = 64 << 20;
/// How long the server may go on after the client has left: as long as calls are under way, and else.
const BUSY_GRACE: Duration = Duration::from_secs(120);
const IDLE_GRACE: Duration = Duration::from_secs(3);
/// How long the server gets to end once its output is closed.
const END_GRACE: Duration = Duration::from_secs(2);

type Shared = Arc<Mutex<Conversation>>;

fn lock(conversation: &Shared) -> MutexGuard<'_, Conversation> {
    conversation.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the server and passes messages on until the client leaves, the server ends, or `stop`.
///
/// # Errors
/// [`Code::SourceUnreachable`] if the server cannot be started, or ends in failure by itself.
pub(super) async fn run(
    command: &[String],
    recorder: Arc<Recorder>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let place = command.join(" ");
    let failed = |what: String| Error::new(Code::SourceUnreachable, what).at(&place);
    let Some((program, arguments)) = command.split_first() else {
        return Err(crate::output::usage("the command is empty"));
    };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(format!("cannot start `{program}`: {e}")))?;
    let (Some(to_server), Some(said_by_server)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("the server has no input or output".into()));
    };
    let conversation: Shared = Arc::new(Mutex::new(Conversation::new(recorder, "stdio")));
    let mut client = tokio::spawn(requests(tokio::io::stdin(), to_server, conversation.clone()));
    let mut server = tokio::spawn(answers(said_by_server, tokio::io::stdout(), conversation.clone()));
    tokio::pin!(stop);
    let mut left = false;
    loop {
        tokio::select! {
            ended = &mut server => {
                // An answer that cannot be written has nobody to read it.
                left |= matches!(ended, Ok(Err(_)));
                break;
            }
            _ = &mut client, if !left => left = true,
            () = &mut stop => {
                left = true;
                client.abort();
                let _ = tokio::time::timeout(END_GRACE, &mut server).await;
                break;
            }
            () = idle(&conversation), if left => break,
        }
    }
    // Closes the server's input, if it is still open.
    client.abort();
    let ended = tokio::time::timeout(END_GRACE, child.wait()).await;
    server.abort();
    match ended {
        Ok(Ok(status)) if !status.success() && !left => Err(failed(format!("the server ended: {status}"))),
        Ok(Ok(_)) => Ok(()),
        _ => {
            // It has been asked to end by closing its input, and did not.
            let _ = child.kill().await;
            Ok(())
        }
    }
}

/// Completes when a server whose client has left has had time to finish.
async fn idle(conversation: &Shared) {
    let start = Instant::now();
    let mut quiet = Instant::now();
    while quiet.elapsed() < IDLE_GRACE && start.elapsed() < BUSY_GRACE {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if lock(conversation).is_busy() {
            quiet = Instant::now();
        }
    }
}

/// From the client to the server, until the client leaves.
async fn requests(
    client: impl AsyncRead + Unpin,
    mut server: impl AsyncWrite + Unpin,
    conversation: Shared,
) -> std::io::Result<()> {
    let mut client = BufReader::with_capacity(1 << 16, client);
    let mut line = Vec::new();
    while let Some(whole) = read(&mut client, &mut line).await? {
        if whole {
            let own = {
                let mut conversation = lock(&conversation);
                let own = conversation.own_request(&line);
                conversation.said_by_client(&line);
                own
            };
            if let Some(mut own) = own {
                own.push(b'\n');
                server.write_all(&own).await?;
            }
        }
        server.write_all(&line).await?;
        server.flush().await?;
    }
    Ok(())
}

/// From the server to the client, until the server ends. An answer is in the file before the client
/// has it.
async fn answers(
    server: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    conversation: Shared,
) -> std::io::Result<()> {
    let mut server = BufReader::with_capacity(1 << 16, server);
    let mut line = Vec::new();
    while let Some(whole) = read(&mut server, &mut line).await? {
        if whole {
            let mut conversation = lock(&conversation);
            let own = conversation.is_own(&line);
            conversation.said_by_server(&line);
            if own {
                continue;
            }
        }
        client.write_all(&line).await?;
        client.flush().await?;
    }
    Ok(())
}

/// Reads a line with its end; `Some(false)` for a part of a line that is too long, `None` at the
/// end of the input.
async fn read(input: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    // The rest of a line of which a part was passed on is no message by itself.
    let mut part = line.len() >= MAX_MESSAGE && !line.ends_with(b"\n");
    line.clear();
    loop {
        let buffer = input.fill_buf().await?;
        if buffer.is_empty() {
            return Ok((!line.is_empty()).then_some(!part));
        }
        let end = buffer.iter().position(|b| *b == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(buffer.len());
        line.extend_from_slice(&buffer[..taken]);
        input.consume(taken);
        if end.is_some() {
            return Ok(Some(!part));
        }
        if line.len() >= MAX_MESSAGE {
            part = true;
            return Ok(Some(!part));
        }
    }
}
