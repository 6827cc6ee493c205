//! Keeping secrets out of recordings.
//!
//! Covered: strings and numbers in members whose name says that they are secret, also inside text
//! that is JSON itself, and every occurrence of a secret that the request's own headers carried.
//! Not covered: secrets in free text, and in members whose names do not tell (name those).

use serde_json::Value as Json;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Endings of names, in words, whose values are secret.
const ENDINGS: [&str; 33] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "cookies",
    "apikey",
    "apitoken",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "idtoken",
    "sessiontoken",
    "clientsecret",
    "privatekey",
    "api key",
    "api token",
    "access token",
    "refresh token",
    "auth token",
    "id token",
    "session token",
    "bearer token",
    "csrf token",
    "private key",
    "secret key",
    "access key",
];
/// Names that are secret as a whole; as an ending, they are too often something else.
const NAMES: [&str; 6] = ["token", "auth", "jwt", "otp", "cvv", "cvc"];

/// Shortest header value that is looked for in bodies: shorter ones occur by chance.
const MIN_SECRET: usize = 8;
/// Deepest nesting of JSON in text in JSON.
const MAX_NESTED: usize = 4;

/// Which values are secret.
#[derive(Clone, Debug)]
pub struct Redaction {
    on: bool,
    /// Further names, in words.
    names: Vec<String>,
}

impl Redaction {
    /// The default list of names, and these.
    pub fn new(names: &[String]) -> Redaction {
        Redaction { on: true, names: names.iter().map(|name| words(name)).collect() }
    }

    /// Nothing is secret.
    pub fn none() -> Redaction {
        Redaction { on: false, names: Vec::new() }
    }

    /// Whether a member, parameter or header of this name holds a secret.
    pub fn covers(&self, name: &str) -> bool {
        if !self.on {
            return false;
        }
        let words = words(name);
        let ends =
            |end: &str| words.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '));
        ENDINGS.iter().any(|end| ends(end)) || NAMES.contains(&&*words) || self.names.contains(&words)
    }

    /// The secret that a header's value carries, to be looked for in bodies: without the scheme
    /// (`Bearer`). `None` if it is not secret, or too short to be told from other text.
    pub fn secret_of<'a>(&self, header: &str, value: &'a str) -> Option<&'a str> {
        let scheme =
            |name: &str| ["bearer", "basic", "token", "digest"].contains(&&*name.to_ascii_lowercase());
        let value = match value.split_once(' ') {
            Some((name, rest)) if scheme(name) => rest.trim(),
            _ => value.trim(),
        };
        (self.covers(header) && value.len() >= MIN_SECRET).then_some(value)
    }

    /// Replaces what is secret in a value, `secrets` wherever they occur.
    pub fn redact(&self, value: &mut Json, secrets: &[String]) {
        if self.on {
            self.within(value, false, secrets, 0);
        }
    }

    /// Says whether anything was replaced.
    fn within(&self, value: &mut Json, secret: bool, secrets: &[String], nested: usize) -> bool {
        match value {
            Json::Object(map) => map.iter_mut().fold(false, |any, (name, value)| {
                self.within(value, secret || self.covers(name), secrets, nested) | any
            }),
            Json::Array(items) => {
                items.iter_mut().fold(false, |any, item| self.within(item, secret, secrets, nested) | any)
            }
            Json::String(text) if secret => {
                let any = !text.is_empty();
                if any {
                    *text = REDACTED.into();
                }
                any
            }
            Json::Number(_) if secret => {
                *value = REDACTED.into();
                true
            }
            Json::String(text) => self.text(text, secrets, nested),
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }

    fn text(&self, text: &mut String, secrets: &[String], nested: usize) -> bool {
        let mut any = false;
        for secret in secrets.iter().filter(|secret| text.contains(secret.as_str())).collect::<Vec<_>>() {
            *text = text.replace(secret.as_str(), REDACTED);
            any = true;
        }
        // Tools often say JSON in a text. It is written anew only if something in it is secret.
        let start = text.trim_start();
        if nested < MAX_NESTED
            && start.starts_with(['{', '['])
            && let Ok(mut inner) = serde_json::from_str::<Json>(start)
            && self.within(&mut inner, false, &[], nested + 1)
        {
            *text = match text.contains('\n') {
                true => serde_json::to_string_pretty(&inner).unwrap_or_default(),
                false => inner.to_string(),
            };
            any = true;
        }
        any
    }
}

/// A name as words in lower case, one space between them: `X-Api-Key` and `xApiKey` are `x api key`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        let breaks = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if (breaks || !c.is_alphanumeric()) && !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        }
        before = c;
    }
    words.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_that_are_secret_and_names_that_are_not() {
        let redaction = Redaction::new(&["Pet-Name".into()]);
        for name in [
            "password",
            "userPassword",
            "DB_PASSWORD",
            "Authorization",
            "Proxy-Authorization",
            "X-API-Key",
            "apiKey",
            "access_token",
            "accessToken",
            "client_secret",
            "Set-Cookie",
            "token",
            "petName",
            "aws.secretAccessKey",
        ] {
            assert!(redaction.covers(name), "{name}");
        }
        for name in
            ["next_page_token", "max_tokens", "pageToken", "key", "author", "passwordless", "pet", "name", ""]
        {
            assert!(!redaction.covers(name), "{name}");
        }
        assert!(!Redaction::none().covers("password"));
    }

    #[test]
    fn values_in_all_places() {
        let redaction = Redaction::new(&[]);
        let mut value = json!({
            "password": "p", "pin": 7, "auth": {"kind": "basic", "ok": true, "n": 3}, "empty": {"token": ""},
            "list": [{"api_key": "k"}], "text": "{\"user\":\"u\",\"token\":\"t\"}", "plain": "{\"user\": \"u\"}",
            "said": "your key is abcdefgh-123, keep it",
        });
        redaction.redact(&mut value, &["abcdefgh-123".into()]);
        assert_eq!(
            value,
            json!({
                "password": REDACTED, "pin": 7, "auth": {"kind": REDACTED, "ok": true, "n": REDACTED},
                "empty": {"token": ""}, "list": [{"api_key": REDACTED}],
                "text": "{\"user\":\"u\",\"token\":\"[redacted]\"}", "plain": "{\"user\": \"u\"}",
                "said": "your key is [redacted], keep it",
            })
        );
        let mut kept = json!({"password": "p"});
        Redaction::none().redact(&mut kept, &["p".into()]);
        assert_eq!(kept, json!({"password": "p"}));
    }

    #[test]
    fn secrets_of_headers() {
        let redaction = Redaction::new(&[]);
        assert_eq!(redaction.secret_of("authorization", "Bearer abcdefgh"), Some("abcdefgh"));
        assert_eq!(redaction.secret_of("x-api-key", "abcdefgh"), Some("abcdefgh"));
        assert_eq!(redaction.secret_of("x-api-key", "abc"), None);
        assert_eq!(redaction.secret_of("accept", "application/json"), None);
    }
}
