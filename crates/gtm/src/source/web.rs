//! A spec at an http(s) address that the user named.

use super::{client, wait, with_causes};
use gtm_error::{Code, Error, Result};
use gtm_tool::Limits;

/// The document at the address, if it arrives in time and is not too large.
pub(super) fn fetch(address: &str, limits: &Limits) -> Result<Vec<u8>> {
    let unreachable = |what: String| Error::new(Code::SourceUnreachable, what).at(address);
    let client = client()?;
    wait(address, async {
        let failed = |e: reqwest::Error| unreachable(with_causes(&e.without_url()));
        let mut response = client
            .get(address)
            .header("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
            .send()
            .await
            .map_err(failed)?;
        if !response.status().is_success() {
            return Err(unreachable(format!("the server answered {}", response.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > limits.document_bytes {
                return Err(Error::new(Code::SpecTooLarge, "the document is too large")
                    .at(address)
                    .expected(format!("at most {} bytes", limits.document_bytes)));
            }
        }
        Ok(body)
    })
}
