//! A session's past and present: snapshots, rollback, forks, state, transcript.

use super::{bytes, json};
use crate::app::App;
use crate::payload::Payload;
use crate::problem::Failure;
use crate::reply;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_error::{Code, Error, Result as Outcome, printable};
use gtm_sim::{ForkSession, Session, SnapshotRef};
use gtm_world::Value as Part;
use serde::Deserialize;
use serde_json::json as value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotName {
    name: String,
}

/// `POST /v1/sessions/{id}/snapshots`
pub(crate) async fn snapshot(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let SnapshotName { name } = payload.json()?;
    let id = payload.param("id").to_string();
    let snapshot = app
        .apart(move |app| {
            let info = app.store().snapshot(&id, &name)?;
            info.snapshots
                .into_iter()
                .find(|snapshot| snapshot.name == name)
                .ok_or_else(|| Error::new(Code::Internal, "the snapshot was not kept"))
        })
        .await?;
    Ok(json(StatusCode::CREATED, &snapshot))
}

/// `GET /v1/sessions/{id}/snapshots`
pub(crate) async fn snapshots(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let info = app.store().info(payload.param("id"))?;
    Ok(json(StatusCode::OK, &value!({"snapshots": info.snapshots})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fork {
    #[serde(alias = "count")]
    n: Option<usize>,
    seed: Option<u64>,
    #[serde(default)]
    seeds: Vec<u64>,
    #[serde(default)]
    ids: Vec<String>,
}

/// `POST /v1/sessions/{id}/fork`
pub(crate) async fn fork(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let Fork { n, seed, mut seeds, ids } = payload.json()?;
    let count = n.unwrap_or(ids.len().max(seeds.len()).max(1));
    let limit = app.config().max_fork;
    if count.max(ids.len()).max(seeds.len()) > limit {
        return Err(Error::new(Code::RequestTooLarge, format!("{count} forks are asked for"))
            .at("body/n")
            .expected(format!("at most {limit} in one request"))
            .into());
    }
    if count == 0 {
        return Err(Error::new(Code::RequestMalformed, "no forks are asked for")
            .at("body/n")
            .expected("1 or more")
            .into());
    }
    if let Some(first) = seed {
        if !seeds.is_empty() {
            return Err(Error::new(Code::RequestMalformed, "both `seed` and `seeds` are given")
                .at("body")
                .into());
        }
        seeds = (0..count as u64).map(|i| first.wrapping_add(i)).collect();
    }
    let id = payload.param("id").to_string();
    let request = ForkSession { count: Some(count), ids, seeds };
    let sessions = app.fork(&id, request).await?;
    Ok(json(StatusCode::CREATED, &value!({"sessions": sessions})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    to: To,
}

/// A number is a turn and text is a name, also if it looks like a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum To {
    Turn(u64),
    Name(String),
}

/// `POST /v1/sessions/{id}/rollback`
pub(crate) async fn rollback(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let to = match payload.json::<Rollback>()?.to {
        To::Turn(turn) => SnapshotRef::Turn(turn),
        // Names are never all digits, so such text can only mean a turn.
        To::Name(name) => SnapshotRef::from(name.as_str()),
    };
    let id = payload.param("id").to_string();
    let session = id.clone();
    let info = app.apart(move |app| app.store().rollback(&session, &to)).await?;
    app.reopen(&id, false).await;
    Ok(json(StatusCode::OK, &info))
}

/// `POST /v1/sessions/{id}/reset`
pub(crate) async fn reset(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let id = payload.param("id").to_string();
    let session = id.clone();
    let info = app.apart(move |app| app.store().reset(&session)).await?;
    app.reopen(&id, true).await;
    Ok(json(StatusCode::OK, &info))
}

/// `GET /v1/sessions/{id}/state`
pub(crate) async fn state(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let pointer = payload.query("path").unwrap_or_default();
    let id = payload.param("id").to_string();
    let body = app
        .apart(move |app| {
            // A copy shares its memory with the session, whose lock is free again while it is written out.
            let session = app.store().session(&id)?;
            let part = part(session.state(), &pointer)?;
            let mut body = b"{\"state\":".to_vec();
            write(&mut body, part)?;
            body.extend_from_slice(format!(",\"state_version\":{}}}", session.version()).as_bytes());
            Ok(body)
        })
        .await?;
    Ok(bytes(StatusCode::OK, body))
}

/// The part of a state that a JSON pointer points to.
fn part<'a>(state: &'a Part, pointer: &str) -> Outcome<&'a Part> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(Error::new(
            Code::RequestMalformed,
            format!("`{}` is not a JSON pointer", printable(pointer)),
        )
        .at("query/path")
        .expected("empty, or a path such as /users/1"));
    }
    let mut at = state;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match at {
            Part::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(&step),
        };
        at = next.ok_or_else(|| {
            Error::new(Code::NotFound, format!("the state has nothing at {}", printable(pointer)))
                .at("query/path")
                .hint("read the state without `path` to see what there is")
        })?;
    }
    Ok(at)
}

/// `GET /v1/sessions/{id}/transcript`
pub(crate) async fn transcript(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let (from, limit) = app.page(&payload)?;
    let id = payload.param("id").to_string();
    let body = app.apart(move |app| turns(&app.store().session(&id)?, from, limit)).await?;
    Ok(bytes(StatusCode::OK, body))
}

fn turns(session: &Session, from: usize, limit: usize) -> Outcome<Vec<u8>> {
    let total = session.turns();
    let start = from.max(session.first_turn()).min(total);
    let end = start.saturating_add(limit).min(total);
    let mut body = b"{\"turns\":[".to_vec();
    for (index, turn) in (start..end).filter_map(|turn| session.turn(turn)).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(format!("{{\"turn\":{},\"call\":", turn.turn).as_bytes());
        write(&mut body, &turn.call)?;
        body.extend_from_slice(b",\"reply\":");
        reply::write(&mut body, &turn.reply);
        body.push(b'}');
    }
    let next = if end < total { end.to_string() } else { "null".into() };
    let tail = format!("],\"first\":{},\"total\":{total},\"next\":{next}}}", session.first_turn());
    body.extend_from_slice(tail.as_bytes());
    Ok(body)
}

fn write(body: &mut Vec<u8>, value: &impl serde::Serialize) -> Outcome<()> {
    serde_json::to_writer(body, value)
        .map_err(|e| Error::new(Code::Internal, format!("the answer cannot be written: {e}")))
}
