//! Asking a real HTTP API.

use super::{MAX_ANSWER, RealReply};
use crate::source::{plain_client, with_causes};
use gtm_error::{Code, Error, Result};
use gtm_serve::{ApiRequest, Operations, reply_content};
use gtm_sim::Call;
use gtm_tool::ToolSpec;
use std::time::Duration;

/// A real API.
pub(super) struct Api {
    /// Address without a slash at the end.
    base: String,
    client: reqwest::Client,
    headers: Vec<(String, String)>,
    operations: Operations,
    timeout: Duration,
}

impl Api {
    /// # Errors
    /// [`Code::Usage`] for what is no address.
    pub(super) fn new(
        address: &str,
        headers: Vec<(String, String)>,
        tools: &[ToolSpec],
        timeout: Duration,
    ) -> Result<Api> {
        let url = reqwest::Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none_or(|url| url.query().is_some() || url.fragment().is_some()) {
            return Err(crate::output::usage(format!("`{address}` is no address of an API"))
                .expected("such as https://api.example.com/v1"));
        }
        let base = address.trim_end_matches('/').to_owned();
        Ok(Api { base, client: plain_client()?, headers, operations: Operations::new(tools), timeout })
    }

    /// Makes a call.
    pub(super) async fn ask(&self, call: &Call) -> Result<RealReply> {
        let request = self.operations.request(call)?;
        match tokio::time::timeout(self.timeout, self.send(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.failed(format!("no answer within {} s", self.timeout.as_secs()))),
        }
    }

    async fn send(&self, request: ApiRequest) -> Result<RealReply> {
        let failed = |e: reqwest::Error| self.failed(with_causes(&e.without_url()));
        let method = request.method.parse().map_err(|_| self.failed("the method cannot be sent".into()))?;
        let mut builder = self.client.request(method, format!("{}{}", self.base, request.path));
        // Those of the toolset last: they are what lets us in.
        for (name, value) in request.headers.iter().chain(&self.headers) {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut answer = builder.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let kind =
            answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(self.failed(format!("the answer is larger than {MAX_ANSWER} bytes")));
            }
        }
        Ok(RealReply { content: reply_content(&kind, &body), is_error: status >= 400, status: Some(status) })
    }

    fn failed(&self, what: String) -> Error {
        Error::new(Code::SourceUnreachable, format!("the real API: {what}")).at(&self.base)
    }
}
