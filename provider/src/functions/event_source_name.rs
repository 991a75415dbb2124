//! `event_source_name(account, name)`: what Scalr calls the event source of a connection.

use tfplugin::{Attrs, Function, FunctionError};

use crate::aws::checks;
use crate::check;

/// Gives the name of a connection's partner event source, which is also the name of its event bus.
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
        build(&self.account, &self.name)
            .map_err(|(argument, text)| FunctionError::new(text).argument(argument))
    }
}

fn build(account: &str, name: &str) -> Result<String, (usize, String)> {
    for (argument, what, text) in [(0, "account", account), (1, "name", name)] {
        check::source_segment(text).map_err(|why| (argument, format!("The {what} `{text}` {why}.")))?;
    }
    // A dot is legal in a name, but this is how one writes the host.
    if let Some(name) = account.strip_suffix(".scalr.io") {
        return Err((
            0,
            format!("The account `{account}` is a host name; write `{name}`."),
        ));
    }
    let source = format!("{}/{account}/{name}", scalr_events::SOURCE_PREFIX);
    checks::event_source(&source).map_err(|why| (1, format!("The name {why}.")))?;
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
            ("a b", "c", 0),
            ("acme.scalr.io", "c", 0),
            ("", "c", 0),
            ("a", "c/d", 1),
            (&*long, &*long, 1),
        ] {
            let (at, text) = build(account, name).expect_err(account);
            assert_eq!(at, argument, "{text}");
        }
    }
}
