//! Fields of events that are set on the command line: `KEY=VALUE`.

use scalr_events::{EventType, catalogue, value_of_text};
use serde_json::Value;

use super::exit::Failure;

/// The names and values of `KEY=VALUE` pairs, each of the type of its field.
pub(super) fn of_event(event_type: EventType, pairs: &[String]) -> anyhow::Result<Vec<(&str, Value)>> {
    let mut found = Vec::new();
    for pair in pairs {
        let (name, text) = split(pair)?;
        let value =
            value_of_text(event_type, name, text).map_err(|error| Failure::setting(error.to_string()))?;
        found.push((name, value));
    }
    Ok(found)
}

/// The same where EventBridge makes the envelope.
pub(super) fn of_detail(event_type: EventType, pairs: &[String]) -> anyhow::Result<Vec<(&str, Value)>> {
    let found = of_event(event_type, pairs)?;
    for (name, _) in &found {
        let field = catalogue::find(event_type, name);
        if field.is_some_and(|field| !field.path.starts_with("detail.")) {
            return Err(Failure::setting(format!(
                "`{name}` is in the envelope of an event, which AWS makes"
            )));
        }
    }
    Ok(found)
}

/// The two halves of `KEY=VALUE`.
pub(super) fn split(pair: &str) -> anyhow::Result<(&str, &str)> {
    pair.split_once('=')
        .ok_or_else(|| Failure::setting(format!("`{}` has no value: write KEY=VALUE", pair.escape_debug())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pair: &str, want: Result<Value, &str>) {
        let pairs = [pair.to_owned()];
        let found = of_detail(EventType::RunExecuted, &pairs);
        match (found, want) {
            (Ok(found), Ok(want)) => assert_eq!(found[0].1, want, "{pair}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{pair}: {error}"),
            (found, want) => panic!("{pair}: {found:?}, not {want:?}"),
        }
    }

    #[test]
    fn pairs_have_a_field_and_a_value() {
        check("result=errored", Ok(json!("errored")));
        check("detail.event.workspace=a=b", Ok(json!("a=b")));
        check("is_dry=true", Ok(json!(true)));
        check("is_dry=maybe", Err("`is_dry` of an event is `true` or `false`"));
        check("result=erorred", Err("perhaps `errored` is meant"));
        check("workspce=x", Err("the nearest is `workspace`."));
        check("region=x", Err("`region` is in the envelope"));
        check("result", Err("write KEY=VALUE"));
    }
}
