//! Which parameters are credentials: the simulator's caller has none, so they are no arguments.

use serde_json::Value;
use std::collections::HashSet;

/// Location and lower-case name of every API key that the document declares.
#[derive(Debug, Default)]
pub(super) struct ApiKeys(HashSet<(String, String)>);

impl ApiKeys {
    pub(super) fn of(root: &Value) -> Self {
        let schemes = [root.pointer("/components/securitySchemes"), root.get("securityDefinitions")];
        let schemes = schemes.into_iter().flatten().filter_map(Value::as_object).flat_map(|m| m.values());
        let keys = schemes.filter_map(|scheme| {
            let text = |key: &str| Some(scheme.get(key)?.as_str()?.to_ascii_lowercase());
            (text("type")? == "apikey").then_some((text("in")?, text("name")?))
        });
        Self(keys.collect())
    }

    pub(super) fn contains(&self, location: &str, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        // OpenAPI itself says that header parameters of these names are to be ignored.
        (location == "header" && matches!(name.as_str(), "accept" | "content-type" | "authorization"))
            || self.0.contains(&(location.to_owned(), name))
    }
}
