//! Log lines as Terraform reads them: one JSON object a line on standard error.

use std::io::Write as _;
use std::sync::{OnceLock, PoisonError, RwLock};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// What a developer wants to see.
    Debug,
    /// What a user may want to see.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
    /// Nothing at all.
    Off,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }

    fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            "off" => Self::Off,
            // Terraform reads anything else, `1` and `json` too, as "everything".
            _ => Self::Trace,
        }
    }
}

/// The levels that the environment asks for.
struct Levels {
    provider: Level,
    protocol: Level,
}

static LEVELS: OnceLock<Levels> = OnceLock::new();
static SECRETS: RwLock<Vec<String>> = RwLock::new(Vec::new());

fn levels() -> &'static Levels {
    LEVELS.get_or_init(|| {
        let level = |names: &[&str]| {
            let set = names
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            set.map(|value| Level::parse(&value))
        };
        Levels {
            provider: level(&["TF_LOG_PROVIDER", "TF_LOG"]).unwrap_or(Level::Warn),
            protocol: level(&["TF_LOG_SDK_PROTO", "TF_LOG_SDK", "TF_LOG_PROVIDER", "TF_LOG"])
                .unwrap_or(Level::Warn),
        }
    })
}

/// Replaces this text in every log line and diagnostic. Texts of fewer than 6 bytes are ignored: they would hide ordinary words.
pub fn hide(secret: &str) {
    if secret.len() < 6 {
        return;
    }
    let mut all = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    if !all.iter().any(|known| known == secret) {
        all.push(secret.to_owned());
    }
}

/// The text with each secret replaced.
pub(crate) fn scrub(text: &str) -> String {
    let all = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    all.iter().fold(text.to_owned(), |text, secret| {
        if text.contains(secret.as_str()) {
            text.replace(secret.as_str(), "(hidden)")
        } else {
            text
        }
    })
}

/// Writes a line of the provider's.
pub fn provider(level: Level, message: &str, fields: &[(&str, &str)]) {
    if level >= levels().provider {
        write("provider", level, message, fields);
    }
}

/// Writes a line of the provider's on how an operation goes on.
pub(crate) fn progress(subject: &str, message: &str) {
    provider(Level::Info, message, &[("tf_resource_type", subject)]);
}

/// Writes a line about the protocol.
pub(crate) fn protocol(level: Level, message: &str, fields: &[(&str, &str)]) {
    if level >= levels().protocol {
        write("sdk.proto", level, message, fields);
    }
}

/// Whether a line about the protocol would be written.
pub(crate) fn protocol_enabled(level: Level) -> bool {
    level >= levels().protocol
}

fn write(module: &str, level: Level, message: &str, fields: &[(&str, &str)]) {
    let line = line(
        module,
        level,
        message,
        // go-plugin parses six digits and no other number of them.
        &format!("{:.6}", jiff::Timestamp::now()),
        fields,
    );
    // If standard error is closed there is nowhere to report it.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

fn line(module: &str, level: Level, message: &str, time: &str, fields: &[(&str, &str)]) -> String {
    let mut object = serde_json::Map::new();
    object.insert("@level".into(), level.name().into());
    object.insert("@message".into(), scrub(message).into());
    object.insert("@module".into(), module.into());
    object.insert("@timestamp".into(), time.into());
    for (key, value) in fields {
        object.insert((*key).to_owned(), scrub(value).into());
    }
    serde_json::Value::Object(object).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Level, hide, line};

    #[test]
    fn lines_are_json_without_secrets() {
        hide("tok-123456");
        hide("short");
        let fields = [("header", "Bearer tok-123456"), ("other", "short")];
        let line = line(
            "provider",
            Level::Info,
            "sent tok-123456\ntwice",
            "2024-04-19T13:44:02Z",
            &fields,
        );
        assert_eq!(
            line,
            "{\"@level\":\"info\",\"@message\":\"sent (hidden)\\ntwice\",\"@module\":\"provider\",\"@timestamp\":\"2024-04-19T13:44:02Z\",\"header\":\"Bearer (hidden)\",\"other\":\"short\"}\n"
        );
    }

    #[test]
    fn levels() {
        assert!(Level::Trace < Level::Off);
        for (text, level) in [
            ("ERROR", Level::Error),
            ("info", Level::Info),
            ("json", Level::Trace),
            ("off", Level::Off),
        ] {
            assert_eq!(Level::parse(text), level);
        }
    }
}
