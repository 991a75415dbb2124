//! A fault as it is asked for, and what is refused of it.

use serde::Deserialize;

use super::{Effect, Fault, HttpError};

/// The longest that an answer may be delayed: ten minutes.
const DELAY_MS_MAX: u64 = 600_000;
/// The largest body that may be asked for: 1 GiB.
const SIZE_BYTES_MAX: u64 = 1 << 30;

/// Why a fault was not added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(super) String);

/// The members of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: Kind,
    operation: Option<String>,
    share: Option<f64>,
    seed: Option<u64>,
    skip: Option<u64>,
    times: Option<u64>,
    delay_ms: Option<u64>,
    carried_out: Option<bool>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    size_bytes: Option<u64>,
    body: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Error,
    Cut,
    Slow,
    Oversized,
    Truncated,
    Empty,
    WrongJson,
}

/// Reads the body of a request.
pub(super) fn read(body: &[u8]) -> Result<Fault, Refused> {
    let wanted: Wanted =
        serde_json::from_slice(body).map_err(|error| Refused(format!("This is no fault: {error}.")))?;
    check(&wanted).map_err(Refused)?;
    let is_unanswered = matches!(wanted.kind, Kind::Error | Kind::Cut);
    Ok(Fault {
        effect: effect(wanted.kind, &wanted)?,
        operation: wanted.operation.unwrap_or_else(|| "*".to_owned()),
        share: wanted.share.unwrap_or(1.0),
        seed: wanted.seed.unwrap_or(0),
        skip: wanted.skip.unwrap_or(0),
        times: wanted.times,
        delay_ms: wanted.delay_ms.unwrap_or(0),
        carried_out: wanted.carried_out.unwrap_or(!is_unanswered),
    })
}

/// The limits of all kinds, and the members that a kind does not take.
fn check(wanted: &Wanted) -> Result<(), String> {
    let kind = wanted.kind;
    if wanted.share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        return Err("`share` is more than 0 and at most 1.".to_owned());
    }
    if wanted.delay_ms.is_some_and(|delay| delay > DELAY_MS_MAX) {
        return Err(format!("`delay_ms` is at most {DELAY_MS_MAX}."));
    }
    if kind == Kind::Slow && wanted.delay_ms.is_none() {
        return Err("`slow` needs `delay_ms`.".to_owned());
    }
    if wanted.size_bytes.is_some_and(|size| size > SIZE_BYTES_MAX) {
        return Err(format!("`size_bytes` is at most {SIZE_BYTES_MAX}."));
    }
    if wanted.carried_out == Some(false) && !matches!(kind, Kind::Error | Kind::Cut) {
        return Err(
            "`carried_out` is false for `error` and `cut` only: the other kinds spoil the answer.".to_owned(),
        );
    }
    for (member, given, taken) in [
        ("status", wanted.status.is_some(), kind == Kind::Error),
        ("code", wanted.code.is_some(), kind == Kind::Error),
        ("message", wanted.message.is_some(), kind == Kind::Error),
        (
            "size_bytes",
            wanted.size_bytes.is_some(),
            matches!(kind, Kind::Oversized | Kind::Truncated),
        ),
        ("body", wanted.body.is_some(), kind == Kind::WrongJson),
    ] {
        if given && !taken {
            return Err(format!("`{member}` does not belong to this kind of fault."));
        }
    }
    Ok(())
}

fn effect(kind: Kind, wanted: &Wanted) -> Result<Effect, Refused> {
    Ok(match kind {
        Kind::Error => {
            let status = wanted.status.unwrap_or(500);
            if !(400..=599).contains(&status) {
                return Err(Refused("`status` is from 400 to 599.".to_owned()));
            }
            let message = wanted.message.clone();
            Effect::Error(HttpError {
                status,
                code: wanted.code.clone(),
                message: message.unwrap_or_else(|| "This fault was asked for.".to_owned()),
            })
        }
        Kind::Cut => Effect::Cut,
        Kind::Slow => Effect::Slow,
        Kind::Oversized => {
            let size = wanted.size_bytes;
            let size_bytes = size.ok_or_else(|| Refused("`oversized` needs `size_bytes`.".to_owned()))?;
            Effect::Oversized { size_bytes }
        }
        Kind::Truncated => Effect::Truncated {
            size_bytes: wanted.size_bytes,
        },
        Kind::Empty => Effect::Empty,
        Kind::WrongJson => Effect::WrongJson {
            body: wanted.body.clone().unwrap_or_else(|| "{}".to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (body, word) in [
            ("", "no fault"),
            ("[]", "no fault"),
            ("{}", "kind"),
            (r#"{"kind":"bang"}"#, "bang"),
            (r#"{"kind":"cut","odd":1}"#, "odd"),
            (r#"{"kind":"cut","share":0}"#, "share"),
            (r#"{"kind":"cut","share":1.5}"#, "share"),
            (r#"{"kind":"cut","share":"x"}"#, "no fault"),
            (r#"{"kind":"cut","status":500}"#, "status"),
            (r#"{"kind":"cut","times":-1}"#, "no fault"),
            (r#"{"kind":"slow"}"#, "delay_ms"),
            (r#"{"kind":"slow","delay_ms":600001}"#, "delay_ms"),
            (
                r#"{"kind":"slow","delay_ms":1,"carried_out":false}"#,
                "carried_out",
            ),
            (r#"{"kind":"error","status":200}"#, "status"),
            (r#"{"kind":"error","body":""}"#, "body"),
            (r#"{"kind":"oversized"}"#, "size_bytes"),
            (r#"{"kind":"oversized","size_bytes":1073741825}"#, "size_bytes"),
            (r#"{"kind":"empty","size_bytes":1}"#, "size_bytes"),
        ] {
            let refused = read(body.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains(word), "{body}: {refused}");
        }
    }

    #[test]
    fn a_change_is_made_before_all_but_an_error_or_a_cut() {
        for (body, carried_out) in [
            (r#"{"kind":"error"}"#, false),
            (r#"{"kind":"error","carried_out":true}"#, true),
            (r#"{"kind":"cut"}"#, false),
            (r#"{"kind":"cut","carried_out":true}"#, true),
            (r#"{"kind":"slow","delay_ms":1}"#, true),
            (r#"{"kind":"oversized","size_bytes":1}"#, true),
            (r#"{"kind":"truncated"}"#, true),
            (r#"{"kind":"empty"}"#, true),
            (r#"{"kind":"wrong_json"}"#, true),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap().carried_out, carried_out, "{body}");
        }
    }
}
