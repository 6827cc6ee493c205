//! An API's operations between HTTP and tool calls, in both directions, for whoever stands in front
//! of the real API: from a request to the call it is, and from a call to the request to send.

use super::{Found, Paths, Sent, arguments, body, decode, encode, paths};
use crate::problem::Failure;
use axum::http::{HeaderMap, Method, Uri};
use gtm_error::{Code, Error, Result};
use gtm_sim::Call;
use gtm_tool::ToolSpec;
use serde_json::Value;

/// The tools of a toolset that are HTTP operations, by their paths.
#[derive(Debug)]
pub struct Operations {
    tools: Vec<ToolSpec>,
    paths: Paths,
}

/// A request to the real API, as far as a call determines it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiRequest {
    /// Upper-case method.
    pub method: String,
    /// Path below the API's base path, and query, encoded.
    pub path: String,
    /// Headers, cookies among them.
    pub headers: Vec<(String, String)>,
    /// Body; none for a request without one.
    pub body: Option<Vec<u8>>,
}

impl Operations {
    /// The operations among these tools.
    pub fn new(tools: &[ToolSpec]) -> Operations {
        let tools: Vec<ToolSpec> = tools.iter().filter(|tool| tool.http.is_some()).cloned().collect();
        Operations { paths: paths(&tools), tools }
    }

    /// The tools.
    pub fn tools(&self) -> &[ToolSpec] {
        &self.tools
    }

    /// The call that a request is; `None` if no operation has its method and path. The API's base
    /// path may be there or not.
    ///
    /// # Errors
    /// [`Code::RequestMalformed`] for a body that the operation does not take.
    pub fn call(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Option<Call>> {
        let query = decode::pairs(uri.query().unwrap_or(""));
        let Found::Tool(index, values) = self.paths.find(method.as_str(), uri.path(), &query) else {
            return Ok(None);
        };
        let Some((tool, http)) = self.tools.get(index).and_then(|tool| Some((tool, tool.http.as_ref()?)))
        else {
            return Ok(None);
        };
        let sent = Sent { path: &values, query: &query, headers, body };
        let arguments = arguments(tool, http, &sent).map_err(Failure::into_error)?;
        Ok(Some(Call::new(tool.name.clone(), arguments)))
    }

    /// The request that makes a call.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a tool that is no HTTP operation, [`Code::RequestMalformed`] if an
    /// argument is missing without which there is no address, or cannot be sent.
    pub fn request(&self, call: &Call) -> Result<ApiRequest> {
        let tool = self.tools.iter().find(|tool| tool.name == call.tool);
        match tool.and_then(|tool| tool.http.as_ref()) {
            Some(http) => encode::request(http, &call.arguments),
            None => Err(Error::new(Code::NotFound, format!("`{}` is no HTTP operation", call.tool))),
        }
    }
}

/// The body of an answer as the JSON that a tool's reply is: JSON as it is, text as a string, other
/// bytes in base64, nothing as null.
pub fn reply_content(content_type: &str, bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let json = body::is_json(content_type) || content_type.is_empty();
    match json.then(|| serde_json::from_slice(bytes)) {
        Some(Ok(value)) => value,
        _ => body::bytes(bytes),
    }
}
