//! The one tool spec that every importer produces and everything else reads.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool an agent may call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Name as the agent calls it.
    pub name: String,
    /// What the tool's author says it does. Untrusted text: shown, never obeyed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema 2020-12 of the arguments, always `type: object`. Shared schemas stay shared
    /// under `$defs` and are referred to as `#/$defs/Name`, so that cycles are harmless and one
    /// can see which tools speak of the same entity.
    pub parameters: Value,
    /// JSON Schema 2020-12 of a successful reply, with its own `$defs`. Absent if not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<Value>,
    /// Hints about effects.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Documented failures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorSpec>,
    /// Published examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// How the tool is reached over HTTP, for tools that are HTTP operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpBinding>,
    /// Where the spec came from.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub origin: Origin,
}

/// Effect hints, as MCP's tool annotations. `None` means not stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotations {
    /// The tool changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// The tool may delete or overwrite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    /// Calling twice with the same arguments has the effect of calling once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

impl Annotations {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A documented failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorSpec {
    /// HTTP status, if the tool is an HTTP operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it happens, in the author's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the error body, with its own `$defs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// A published example of the error body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// A published example of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Arguments, where the example gives all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// The reply.
    pub response: Value,
}

/// How arguments map onto an HTTP request and which answer means success.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpBinding {
    /// Upper-case method.
    pub method: String,
    /// Path template below the server's base path, such as `/pets/{petId}`.
    pub path: String,
    /// Base path of the first server, without a trailing slash; empty for the root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base: String,
    /// Parameters outside the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<HttpParam>,
    /// The request body, if the operation takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<HttpBody>,
    /// Status of a successful answer.
    pub success_status: u16,
    /// Media type of a successful answer; empty when there is no body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub success_type: String,
    /// First tag of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One parameter outside the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpParam {
    /// Name on the wire.
    pub name: String,
    /// Name among the tool's arguments (differs only when two parameters collide).
    pub argument: String,
    /// Where it travels.
    #[serde(rename = "in")]
    pub location: ParamLocation,
    /// An array is sent as repeated keys (`true`) or as one comma-separated value (`false`).
    #[serde(default)]
    pub explode: bool,
}

/// Where a parameter travels in an HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamLocation {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

/// How the request body relates to the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpBody {
    /// `None`: the body's own properties are arguments at the top level (all arguments that are
    /// not in `params`). `Some(name)`: the whole body is the argument of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// Media type.
    pub media_type: String,
    /// Whether a request without body is an error.
    #[serde(default)]
    pub required: bool,
}

/// Where a spec came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Title of the API or name of the server the tool belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub api: String,
    /// Vendor.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// Format it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

impl Origin {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A format that tool specs are imported from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// OpenAPI 3.0.
    #[serde(rename = "openapi-3.0")]
    OpenApi30,
    /// OpenAPI 3.1.
    #[serde(rename = "openapi-3.1")]
    OpenApi31,
    /// Swagger 2.0.
    #[serde(rename = "swagger-2.0")]
    Swagger20,
    /// MCP `tools/list`.
    Mcp,
    /// OpenAI chat-completions tools.
    OpenaiChat,
    /// OpenAI responses tools.
    OpenaiResponses,
    /// Berkeley function-calling function docs.
    Bfcl,
    /// ToolBench / RapidAPI tool lists.
    Toolbench,
    /// GTM's own tool specs, one JSON object a line (or an array of them).
    Gtm,
}
