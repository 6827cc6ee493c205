//! The shape of a model: `config.json` of a Qwen2 checkpoint.

use gtm_error::{Code, Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// The shape of a Qwen2 decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Rows of the embedding; at least the number of tokens.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Added to the mean square in norms.
    pub norm_eps: f32,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Whether the output projection is the embedding.
    pub tied: bool,
    /// Longest sequence, in tokens.
    pub max_positions: usize,
    /// Tokens that end a text.
    pub eos: Vec<u32>,
}

/// `config.json` as it is found. What would change the computation and is not supported is refused.
#[derive(Deserialize)]
struct Raw {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default = "default_positions")]
    max_position_embeddings: usize,
    #[serde(default)]
    hidden_act: Option<String>,
    #[serde(default)]
    use_sliding_window: bool,
    eos_token_id: Option<Value>,
}

fn default_eps() -> f64 {
    1e-6
}

fn default_positions() -> usize {
    32_768
}

/// Most parameters a model may have: what sizes are checked against before any memory is taken.
const MAX_PARAMETERS: usize = 16_000_000_000;

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::ModelInvalid, message)
}

impl Config {
    /// Reads the text of a `config.json`.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if it is not that of a Qwen2 model, or asks for what is not supported.
    pub fn from_json(text: &str) -> Result<Config> {
        let raw: Raw =
            serde_json::from_str(text).map_err(|e| invalid(format!("not a model configuration: {e}")))?;
        if raw.model_type != "qwen2" {
            return Err(
                invalid(format!("model type `{}` is not supported", raw.model_type)).expected("`qwen2`")
            );
        }
        if raw.hidden_act.as_deref().is_some_and(|a| a != "silu") {
            return Err(invalid("only the activation `silu` is supported"));
        }
        if raw.use_sliding_window {
            return Err(invalid("sliding windows are not supported"));
        }
        let rope = raw.rope_parameters.as_ref();
        let kind =
            |v: &Value| v.get("rope_type").or(v.get("type")).and_then(Value::as_str).map(str::to_owned);
        for scaling in [raw.rope_scaling.as_ref(), rope].into_iter().flatten() {
            if kind(scaling).is_some_and(|kind| kind != "default") {
                return Err(invalid("scaled rotary embeddings are not supported"));
            }
        }
        let theta = rope.and_then(|v| v.get("rope_theta")).and_then(Value::as_f64).or(raw.rope_theta);
        let eos = match &raw.eos_token_id {
            Some(Value::Array(ids)) => {
                ids.iter().filter_map(Value::as_u64).filter_map(|id| id.try_into().ok()).collect()
            }
            Some(id) => id.as_u64().and_then(|id| id.try_into().ok()).into_iter().collect(),
            None => Vec::new(),
        };
        let config = Config {
            vocab_size: raw.vocab_size,
            hidden_size: raw.hidden_size,
            intermediate_size: raw.intermediate_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
            head_dim: raw.head_dim.unwrap_or(raw.hidden_size / raw.num_attention_heads.max(1)),
            norm_eps: raw.rms_norm_eps as f32,
            rope_theta: theta.unwrap_or(10_000.0),
            tied: raw.tie_word_embeddings,
            max_positions: raw.max_position_embeddings,
            eos,
        };
        config.check()?;
        Ok(config)
    }

    /// Whether the sizes fit each other and any memory.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`].
    pub fn check(&self) -> Result<()> {
        let within = [
            ("vocab_size", self.vocab_size, 1 << 20),
            ("hidden_size", self.hidden_size, 1 << 16),
            ("intermediate_size", self.intermediate_size, 1 << 18),
            ("num_hidden_layers", self.layers, 1 << 10),
            ("num_attention_heads", self.heads, 1 << 10),
            ("num_key_value_heads", self.kv_heads, 1 << 10),
            ("head_dim", self.head_dim, 1 << 10),
            ("max_position_embeddings", self.max_positions, 1 << 24),
        ];
        for (name, value, most) in within {
            if value == 0 || value > most {
                return Err(invalid(format!("`{name}` is {value}")).expected(format!("1 to {most}")));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(invalid(format!("{} heads cannot share {} key heads", self.heads, self.kv_heads)));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(invalid(format!("`head_dim` is {}", self.head_dim)).expected("an even number"));
        }
        let sound =
            (0.0..1.0).contains(&self.norm_eps) && self.rope_theta >= 1.0 && self.rope_theta.is_finite();
        if !sound {
            return Err(invalid("`rms_norm_eps` or `rope_theta` is out of range"));
        }
        if self.parameters() > MAX_PARAMETERS {
            return Err(invalid(format!("{} parameters", self.parameters()))
                .expected(format!("at most {MAX_PARAMETERS}")));
        }
        Ok(())
    }

    /// The `config.json` that transformers and llama.cpp's converter read.
    pub fn to_json(&self) -> Value {
        json!({
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "attention_dropout": 0.0,
            "bos_token_id": null,
            "eos_token_id": self.eos.first(),
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "hidden_size": self.hidden_size,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.max_positions,
            "max_window_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.kv_heads,
            // The shortest decimal that reads back as this number, rather than the widened one.
            "rms_norm_eps": self.norm_eps.to_string().parse::<f64>().unwrap_or(f64::from(self.norm_eps)),
            "rope_theta": self.rope_theta,
            "sliding_window": null,
            "tie_word_embeddings": self.tied,
            "torch_dtype": "float32",
            "use_cache": true,
            "use_sliding_window": false,
            "vocab_size": self.vocab_size
        })
    }

    /// Width of all query heads together.
    pub fn q_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Number of parameters; the embedding counts once where it is tied.
    pub fn parameters(&self) -> usize {
        let embedding = self.vocab_size * self.hidden_size * if self.tied { 1 } else { 2 };
        embedding + self.layers * self.layer_parameters() + self.hidden_size
    }

    /// Parameters of one block.
    pub fn layer_parameters(&self) -> usize {
        let (d, qkv) = (self.hidden_size, self.q_width() + 2 * self.kv_width());
        qkv * d + qkv + self.q_width() * d + 3 * d * self.intermediate_size + 2 * d
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use gtm_error::Code;

    const QWEN: &str = r#"{"architectures": ["Qwen2ForCausalLM"], "bos_token_id": 151643, "eos_token_id": 151645,
        "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864, "max_position_embeddings": 32768,
        "max_window_layers": 21, "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24,
        "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_sliding_window": false, "vocab_size": 151936}"#;

    #[test]
    fn reads_and_writes_what_the_hub_holds() {
        let config = Config::from_json(QWEN).unwrap();
        assert_eq!((config.head_dim, config.parameters()), (64, 494_032_768));
        assert_eq!(Config::from_json(&config.to_json().to_string()).unwrap(), config);
    }

    #[test]
    fn refuses_what_it_would_compute_wrongly_or_cannot_hold() {
        for (from, to) in [
            ("\"qwen2\"", "\"llama\""),
            ("\"silu\"", "\"gelu\""),
            ("\"use_sliding_window\": false", "\"use_sliding_window\": true"),
            ("\"rope_theta\": 1000000.0", "\"rope_scaling\": {\"type\": \"yarn\"}"),
            ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"),
            ("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 0"),
            ("\"hidden_size\": 896", "\"hidden_size\": 896000000000"),
            ("\"intermediate_size\": 4864", "\"intermediate_size\": 262144, \"head_dim\": 1024"),
            ("\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": -1"),
        ] {
            let error = Config::from_json(&QWEN.replace(from, to)).unwrap_err();
            assert_eq!(error.code(), Code::ModelInvalid, "{to}");
        }
    }
}
