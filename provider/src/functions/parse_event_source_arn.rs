//! `parse_event_source_arn(arn)`: the parts of an event source's ARN.

use tfplugin::{Attrs, Function, FunctionError};

use crate::aws::arn;

/// Splits the ARN of a connection's event source into its parts.
///
/// The result is an object of strings: `partition` (`aws`), `region`, `event_source_name` (the whole name of the event
/// source), `partner` (`scalr.com`), `account` (name of the Scalr account) and `name` (name of the connection).
#[derive(Attrs, Debug)]
pub struct ParseEventSourceArn {
    /// ARN of the event source: a connection's `event_source_arn`.
    #[tf(required)]
    arn: String,
}

/// The parts of an event source's ARN.
#[derive(Attrs, Debug, PartialEq, Eq)]
pub struct Parts {
    /// AWS partition: `aws`.
    #[tf(computed)]
    partition: String,
    /// AWS region.
    #[tf(computed)]
    region: String,
    /// Name of the event source.
    #[tf(computed)]
    event_source_name: String,
    /// The partner: `scalr.com`.
    #[tf(computed)]
    partner: String,
    /// Name of the Scalr account.
    #[tf(computed)]
    account: String,
    /// Name of the connection.
    #[tf(computed)]
    name: String,
}

impl Function for ParseEventSourceArn {
    const NAME: &'static str = "parse_event_source_arn";
    type Output = Parts;

    fn call(self) -> Result<Parts, FunctionError> {
        let source =
            arn::parse_event_source(&self.arn).map_err(|why| FunctionError::new(why).at(Self::arn()))?;
        Ok(Parts {
            partition: source.partition.to_owned(),
            region: source.region.to_owned(),
            event_source_name: source.source.to_owned(),
            partner: source.partner.to_owned(),
            account: source.scalr_account.to_owned(),
            name: source.connection.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_their_names() {
        let arn = "arn:aws:events:eu-west-1::event-source/aws.partner/scalr.com/acme/prod".to_owned();
        let parts = ParseEventSourceArn { arn }.call().expect("parts");
        assert_eq!(
            (parts.region.as_str(), parts.account.as_str(), parts.name.as_str()),
            ("eu-west-1", "acme", "prod")
        );
        assert_eq!(parts.event_source_name, "aws.partner/scalr.com/acme/prod");
    }
}
