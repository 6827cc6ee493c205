//! Time from start to first reply.

use super::{Plan, Report, Spread};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value as Json, json};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Resources of four operations each.
const RESOURCES: usize = 250;

pub(crate) fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let failed = |what: String| Error::new(Code::FileUnreadable, what);
    let exe = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let path = std::env::temp_dir().join(format!("gtm-bench-{}.json", std::process::id()));
    std::fs::write(&path, spec().to_string()).map_err(|e| failed(e.to_string()).in_file(path.display()))?;
    let mut milliseconds = Vec::new();
    for _ in 0..plan.rounds {
        let begun = Instant::now();
        let status = Command::new(&exe)
            .args(["call".as_ref(), path.as_os_str(), "getThing7".as_ref(), r#"{"thingId": 5}"#.as_ref()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| failed(e.to_string()))?;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1e3);
        if !status.success() {
            return Err(failed("`gtm call` failed on the benchmark's own spec".into()));
        }
    }
    let _ = std::fs::remove_file(&path);
    report.add(
        "start_ms",
        "milliseconds from process start to the first reply, spec of 1,000 operations",
        Spread::of(milliseconds),
    );
    Ok(())
}

/// An OpenAPI document of 1,000 operations.
fn spec() -> Json {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for n in 0..RESOURCES {
        let name = format!("Thing{n}");
        schemas.insert(name.clone(), json!({"type": "object", "required": ["id", "title"], "properties": {
            "id": {"type": "integer"}, "title": {"type": "string"}, "created_at": {"type": "string", "format": "date-time"},
            "owner": {"$ref": "#/components/schemas/Owner"}, "tags": {"type": "array", "items": {"type": "string"}}}}));
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let reply = |schema: &Json| json!({"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}});
        let body = json!({"content": {"application/json": {"schema": schema}}});
        let list = json!({"type": "array", "items": schema});
        let id = json!({"name": "thingId", "in": "path", "required": true, "schema": {"type": "integer"}});
        paths.insert(format!("/things{n}"), json!({
            "get": {"operationId": format!("list{name}"), "responses": reply(&list)},
            "post": {"operationId": format!("create{name}"), "requestBody": body, "responses": reply(&schema)}}));
        paths.insert(format!("/things{n}/{{thingId}}"), json!({"parameters": [id],
            "get": {"operationId": format!("get{name}"), "responses": reply(&schema)},
            "delete": {"operationId": format!("delete{name}"), "responses": {"204": {"description": "gone"}}}}));
    }
    schemas.insert("Owner".into(), json!({"type": "object", "properties": {"id": {"type": "integer"}, "email": {"type": "string", "format": "email"}}}));
    json!({"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "paths": paths, "components": {"schemas": schemas}})
}
