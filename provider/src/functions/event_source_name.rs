//! `event_source_name(account, name)`: what Scalr calls the event source of a connection.

use tfplugin::{Attrs, Function, FunctionError, Path};

use crate::aws::checks;
use crate::check;

/// Returns the name of a connection's partner event source, which is also the name of its event bus.
///
/// For configurations that manage only the AWS side.
#[derive(Attrs, Debug)]
pub struct EventSourceName {
    /// Name of the Scalr account, as in the host name: `acme` of `acme.scalr.io`.
    #[tf(required)]
    account: String,
    /// Name of the connection.
    #[tf(required)]
    name: String,
}

impl Function for EventSourceName {
    const NAME: &'static str = "event_source_name";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        build(&self.account, &self.name).map_err(|(argument, text)| FunctionError::new(text).at(argument))
    }
}

fn build(account: &str, name: &str) -> Result<String, (Path, String)> {
    for (argument, what, text) in [
        (EventSourceName::account(), "account", account),
        (EventSourceName::name(), "name", name),
    ] {
        check::source_segment(text)
            .map_err(|why| (argument.into(), format!("The {what} `{text}` {why}.")))?;
    }
    // A dot is legal in a name, but this is how one writes the host.
    if let Some(name) = account.strip_suffix(".scalr.io") {
        return Err((
            EventSourceName::account().into(),
            format!("The account `{account}` is a host name; write `{name}`."),
        ));
    }
    let source = format!("{}/{account}/{name}", scalr_events::SOURCE_PREFIX);
    checks::event_source(&source)
        .map_err(|why| (EventSourceName::name().into(), format!("The name {why}.")))?;
    Ok(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_and_judged() {
        assert_eq!(
            build("acme", "prod").as_deref(),
            Ok("aws.partner/scalr.com/acme/prod")
        );
        assert!(build("acme.inc", "prod").is_ok());
        let long = "x".repeat(200);
        for (account, name, argument) in [
            ("a b", "c", "account"),
            ("acme.scalr.io", "c", "account"),
            ("", "c", "account"),
            ("a", "c/d", "name"),
            (&*long, &*long, "name"),
        ] {
            let (at, text) = build(account, name).expect_err(account);
            assert_eq!(at.to_string(), argument, "{text}");
        }
    }
}
