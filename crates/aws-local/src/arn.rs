//! Amazon Resource Names: parsed and built.

/// The parts of `arn:partition:service:region:account:resource`, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` when `text` is not an ARN.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (scheme, partition) = (parts.next()?, parts.next()?);
        let arn = Self {
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        let ok = scheme == "arn"
            && partition.starts_with("aws")
            && !arn.service.is_empty()
            && !arn.resource.is_empty();
        ok.then_some(arn)
    }

    /// The log group's name, for `log-group:NAME`, with or without `:*`.
    pub(crate) fn log_group(&self) -> Option<&'a str> {
        let name = self
            .resource
            .strip_prefix("log-group:")
            .filter(|_| self.service == "logs")?;
        Some(name.split(':').next().unwrap_or(name))
    }

    /// The bus's name, for `event-bus/NAME`.
    pub(crate) fn event_bus(&self) -> Option<&'a str> {
        self.resource
            .strip_prefix("event-bus/")
            .filter(|_| self.service == "events")
    }
}

/// The ARN of a resource in an account and region.
pub(crate) fn arn(service: &str, region: &str, account: &str, resource: &str) -> String {
    // Joined and not formatted: each delivery makes several.
    ["arn:aws:", service, ":", region, ":", account, ":", resource].concat()
}

/// The partition that a region belongs to.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The ARN of an account, as a principal: that of its root user.
pub(crate) fn root(region: &str, account: &str) -> String {
    format!("arn:{}:iam::{account}:root", partition(region))
}

/// A rule's ARN: the default bus is not named in it.
pub(crate) fn rule(region: &str, account: &str, bus: &str, name: &str) -> String {
    let path = if bus == "default" {
        ["rule/", name].concat()
    } else {
        ["rule/", bus, "/", name].concat()
    };
    arn("events", region, account, &path)
}

/// A bus name given as a name or an ARN.
pub(crate) fn bus_name(name_or_arn: &str) -> &str {
    Arn::parse(name_or_arn)
        .and_then(|arn| arn.event_bus())
        .unwrap_or(name_or_arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_taken_apart() {
        let group = Arn::parse("arn:aws:logs:us-east-1:123456789012:log-group:/aws/events/x:*").unwrap();
        assert_eq!(
            (group.account, group.log_group()),
            ("123456789012", Some("/aws/events/x"))
        );
        let bus = "arn:aws:events:us-east-1:123456789012:event-bus/aws.partner/scalr.com/a/b";
        assert_eq!(bus_name(bus), "aws.partner/scalr.com/a/b");
        assert_eq!(bus_name("plain"), "plain");
        for bad in [
            "",
            "arn",
            "arn:aws:sqs",
            "urn:aws:sqs:r:a:q",
            "arn:aws::r:a:q",
            "arn:aws:sqs:r:a:",
        ] {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rules_on_the_default_bus_do_not_name_it() {
        assert_eq!(rule("r", "1", "default", "x"), "arn:aws:events:r:1:rule/x");
        assert_eq!(rule("r", "1", "a/b", "x"), "arn:aws:events:r:1:rule/a/b/x");
    }
}
