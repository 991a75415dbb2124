//! Amazon Resource Names: parsed and built.

/// The parts of `arn:partition:service:region:account:resource`, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` when `text` is not an ARN, or one whose region is in another partition.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (scheme, partition) = (parts.next()?, parts.next()?);
        let arn = Self {
            partition,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        let at_home = if arn.region.is_empty() {
            partition.starts_with("aws")
        } else {
            partition == self::partition(arn.region)
        };
        let ok = scheme == "arn" && at_home && !arn.service.is_empty() && !arn.resource.is_empty();
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

/// The partition that a region belongs to, by the beginning of its name, as in the list that AWS's SDKs come with
/// (`partitions.json`).
pub fn partition(region: &str) -> &'static str {
    const OTHERS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let other = OTHERS.iter().find(|(start, _)| region.starts_with(start));
    other.map_or("aws", |(_, partition)| partition)
}

/// The ARN of a resource in an account and region.
pub(crate) fn arn(service: &str, region: &str, account: &str, resource: &str) -> String {
    // Joined and not formatted: each delivery makes several.
    let partition = partition(region);
    [
        "arn:", partition, ":", service, ":", region, ":", account, ":", resource,
    ]
    .concat()
}

/// The ARN of an account, as a principal and as a caller: that of its root user.
pub(crate) fn root(region: &str, account: &str) -> String {
    ["arn:", partition(region), ":iam::", account, ":root"].concat()
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

/// The bus of a rule, by the rule's ARN.
pub(crate) fn bus_of_rule(rule_arn: &str) -> &str {
    let path = Arn::parse(rule_arn).and_then(|arn| arn.resource.strip_prefix("rule/"));
    path.and_then(|path| path.rsplit_once('/'))
        .map_or("default", |(bus, _)| bus)
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
            "arn:aws:sqs:us-gov-west-1:a:q",
            "arn:aws-cn:sqs:us-east-1:a:q",
        ] {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
    }

    /// The provider's list is held to the same regions.
    #[test]
    fn arns_have_the_partition_of_their_region() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/partitions.json")).unwrap();
        for (region, expected) in list["regions"].as_object().unwrap() {
            let (queue, expected) = (arn("sqs", region, "1", "q"), expected.as_str().unwrap());
            assert_eq!(queue, format!("arn:{expected}:sqs:{region}:1:q"));
            assert_eq!(Arn::parse(&queue).map(|arn| arn.partition), Some(expected));
            assert_eq!(root(region, "1"), format!("arn:{expected}:iam::1:root"));
        }
    }

    #[test]
    fn rules_on_the_default_bus_do_not_name_it() {
        assert_eq!(rule("r", "1", "default", "x"), "arn:aws:events:r:1:rule/x");
        assert_eq!(rule("r", "1", "a/b", "x"), "arn:aws:events:r:1:rule/a/b/x");
        for bus in ["default", "b", "a/b"] {
            assert_eq!(bus_of_rule(&rule("r", "1", bus, "x")), bus);
        }
    }
}
