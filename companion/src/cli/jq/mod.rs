//! A jq filter on the JSON of an event.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! paths     the fields that a filter reads
//! meant     the path that was probably meant by an unknown filter
//! ```

mod meant;
mod paths;

use jaq_core::load::{Arena, Error, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::{Val, read};

pub(super) use self::paths::Unseen;

/// Results of one event that are printed at most: `repeat(.)` has no end.
const RESULTS_MAX: usize = 10_000;

/// A compiled filter.
pub(super) struct Jq(Filter<data::JustLut<Val>>);

impl Jq {
    /// The filter, or why the text is none.
    pub(super) fn compile(code: &str) -> Result<Self, String> {
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { code, path: () })
            .map_err(|errors| {
                errors
                    .iter()
                    .map(|(_, error)| unread(error))
                    .collect::<Vec<_>>()
                    .join("; ")
            })?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        compiled.map(Self).map_err(|errors| {
            let undefined = errors.iter().flat_map(|(_, undefined)| undefined);
            let undefined: Vec<_> = undefined.map(|(name, kind)| (*name, kind.as_str())).collect();
            unknown(code, &undefined)
        })
    }

    /// The fields that a filter reads, none of which was seen yet.
    pub(super) fn fields(code: &str) -> Unseen {
        Unseen::of(code)
    }

    /// What the filter makes of this JSON: texts as they are, everything else as JSON.
    pub(super) fn run(&self, json: &str) -> Result<Vec<String>, String> {
        let input = read::parse_single(json.as_bytes()).map_err(|error| error.to_string())?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let results = self.0.id.run((context, input)).map(unwrap_valr);
        let text = |result: Result<Val, jaq_json::Error>| match result {
            Ok(Val::TStr(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(value) => Ok(value.to_string()),
            Err(error) => Err(error.to_string()),
        };
        results.take(RESULTS_MAX).map(text).collect()
    }
}

/// What is said of names that nothing has, each with its kind.
fn unknown(code: &str, names: &[(&str, &str)]) -> String {
    let mut said: Vec<String> = names
        .iter()
        .map(|(name, kind)| format!("there is no {kind} `{name}`"))
        .collect();
    let filters = names.iter().filter(|(_, kind)| *kind == "filter");
    for path in filters.filter_map(|(name, _)| meant::path(code, name)) {
        let advice = format!("write `{path}`");
        if !said.contains(&advice) {
            said.push(advice);
        }
    }
    said.join("; ")
}

fn unread(error: &Error<&str>) -> String {
    let wanted = |(wanted, found): (&str, &str)| {
        if found.is_empty() {
            format!("it ends where `{wanted}` is wanted")
        } else {
            format!("`{wanted}` is wanted at `{found}`")
        }
    };
    match error {
        Error::Io(errors) => errors
            .iter()
            .map(|(_, why)| why.clone())
            .collect::<Vec<_>>()
            .join("; "),
        Error::Lex(errors) => errors
            .first()
            .map(|(want, found)| wanted((want.as_str(), *found)))
            .unwrap_or_default(),
        Error::Parse(errors) => errors
            .first()
            .map(|(want, found)| wanted((want.as_str(), *found)))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_picks_fields_and_drops_events() {
        const EVENT: &str =
            r#"{"detail-type": "RunExecuted", "detail": {"event": {"result": "errored", "duration": 1.5}}}"#;
        for (code, want) in [
            (".detail.event.result", &["errored"][..]),
            (".detail.event | .result, .duration", &["errored", "1.5"]),
            ("select(.detail.event.result == \"applied\")", &[]),
            (".detail.event | keys", &[r#"["duration","result"]"#]),
        ] {
            assert_eq!(Jq::compile(code).unwrap().run(EVENT).unwrap(), want, "{code}");
        }
        assert!(Jq::compile(".a").unwrap().run("no JSON").is_err());
        assert!(Jq::compile(".detail.event + 1").unwrap().run(EVENT).is_err());
    }

    #[test]
    fn what_is_no_filter_is_refused_with_the_place() {
        for (code, part) in [
            (".detail |", "is wanted"),
            ("map(", "is wanted"),
            ("selct(.a)", "no filter `selct`"),
            ("$x", "no variable `$x`"),
        ] {
            let refused = Jq::compile(code).err().unwrap();
            assert!(refused.contains(part), "{code}: {refused}");
        }
    }

    #[test]
    fn a_path_that_is_not_written_as_one_is_proposed() {
        for (code, want) in [
            (
                ".detail.event.run-id",
                r#"there is no filter `id`; write `.detail.event["run-id"]`"#,
            ),
            (
                "detail.event.result",
                "there is no filter `detail`; write `.detail.event.result`",
            ),
            (
                "select(detail.event.result == \"errored\") | .detail.event.run-id",
                r#"there is no filter `detail`; there is no filter `id`; write `.detail.event.result`; write `.detail.event["run-id"]`"#,
            ),
            (
                "detail.event.run-id",
                r#"there is no filter `detail`; there is no filter `id`; write `.detail.event["run-id"]`"#,
            ),
            ("detail", "there is no filter `detail`; write `.detail`"),
            (
                "detail-type",
                r#"there is no filter `detail`; write `.["detail-type"]`"#,
            ),
            ("selct(.a)", "there is no filter `selct`"),
            (".a | selct", "there is no filter `selct`"),
            (".detail.tags[0].run-id", "there is no filter `id`"),
        ] {
            let refused = Jq::compile(code).err().unwrap();
            assert_eq!(refused, want, "{code}");
            for proposed in refused
                .split("; ")
                .filter_map(|part| part.strip_prefix("write `"))
            {
                let proposed = proposed.trim_end_matches('`');
                assert!(Jq::compile(proposed).is_ok(), "{code}: {proposed}");
            }
        }
    }
}
