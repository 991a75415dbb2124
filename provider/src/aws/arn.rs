//! ARNs: taken apart, and the few that are put together here.

/// An ARN in its six parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov` and others.
    pub partition: &'a str,
    /// `events`, `logs`.
    pub service: &'a str,
    /// Region; empty for global things.
    pub region: &'a str,
    /// Account; empty for event sources.
    pub account: &'a str,
    /// The rest.
    pub resource: &'a str,
}

/// Takes an ARN apart; `None` if it is none.
pub fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    if parts.next() != Some("arn") {
        return None;
    }
    let (partition, service) = (parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = !partition.is_empty() && !service.is_empty() && !resource.is_empty();
    whole.then_some(Arn {
        partition,
        service,
        region,
        account,
        resource,
    })
}

/// The account in an ARN, where it holds one.
pub fn account(text: &str) -> Option<&str> {
    parse(text)
        .map(|arn| arn.account)
        .filter(|account| !account.is_empty())
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

/// The ARN of a log group as a target takes it: without the `:*` that CloudWatch Logs puts at its end.
pub fn of_log_group(region: &str, account: &str, name: &str) -> String {
    format!(
        "arn:{}:logs:{region}:{account}:log-group:{name}",
        partition(region)
    )
}

/// The log group that an ARN names.
pub fn log_group_name(text: &str) -> Option<&str> {
    let arn = parse(text).filter(|arn| arn.service == "logs")?;
    let name = arn.resource.strip_prefix("log-group:")?;
    Some(name.strip_suffix(":*").unwrap_or(name))
}

/// The ARN of a queue.
pub fn of_queue(region: &str, account: &str, name: &str) -> String {
    format!("arn:{}:sqs:{region}:{account}:{name}", partition(region))
}

/// The queue that an ARN names.
pub fn queue_name(text: &str) -> Option<&str> {
    parse(text)
        .filter(|arn| arn.service == "sqs")
        .map(|arn| arn.resource)
}

/// The ARN of an event bus.
pub fn of_bus(region: &str, account: &str, bus: &str) -> String {
    format!(
        "arn:{}:events:{region}:{account}:event-bus/{bus}",
        partition(region)
    )
}

/// The name in the ARN of a partner's event source, such as `aws.partner/scalr.com/ACCOUNT/NAME`.
pub fn event_source_name(text: &str) -> Option<&str> {
    let arn = parse(text).filter(|arn| arn.service == "events")?;
    let name = arn.resource.strip_prefix("event-source/")?;
    (name.starts_with("aws.partner/") && name.split('/').count() >= 3).then_some(name)
}

/// The name in the ARN of an event source of custom event buses.
pub fn custom_source_name(text: &str) -> Option<&str> {
    let arn = parse(text).filter(|arn| arn.service == "events")?;
    let rest = arn.resource.strip_prefix("event-sourcev2/")?;
    let (rest, id) = rest.rsplit_once('/')?;
    is_custom_id(id).then(|| rest.rsplit('/').next())?
}

/// The name in the ARN of a subscriber of a custom event bus.
pub fn subscriber_name(text: &str) -> Option<&str> {
    let arn = parse(text).filter(|arn| arn.service == "events")?;
    let (name, id) = arn.resource.strip_prefix("subscriber/")?.split_once('/')?;
    is_custom_id(id).then_some(name)
}

/// What the ARNs of custom event buses and of what is on them end in.
fn is_custom_id(id: &str) -> bool {
    id.len() == 25 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The name in the ARN of a custom event bus, which ends in an id of 25 characters.
pub fn custom_bus_name(text: &str) -> Option<&str> {
    let arn = parse(text).filter(|arn| arn.service == "events")?;
    let (name, id) = arn.resource.strip_prefix("event-busv2/")?.split_once('/')?;
    is_custom_id(id).then_some(name)
}

/// The ARN of a rule on a bus other than `default`.
pub fn of_rule(region: &str, account: &str, bus: &str, rule: &str) -> String {
    let path = if bus == "default" {
        rule.to_owned()
    } else {
        format!("{bus}/{rule}")
    };
    format!("arn:{}:events:{region}:{account}:rule/{path}", partition(region))
}

/// What the ARN of a partner event source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSource<'a> {
    /// Partition.
    pub partition: &'a str,
    /// Region.
    pub region: &'a str,
    /// Full name: `aws.partner/scalr.com/ACCOUNT/NAME`.
    pub source: &'a str,
    /// The partner: `scalr.com`.
    pub partner: &'a str,
    /// Scalr's account.
    pub scalr_account: &'a str,
    /// Name of the connection.
    pub connection: &'a str,
}

/// Reads the ARN of Scalr's event source; the error says what is wrong with it.
pub fn parse_event_source(text: &str) -> Result<EventSource<'_>, String> {
    const FORM: &str = "An event source's ARN has the form \
                        `arn:aws:events:REGION::event-source/aws.partner/scalr.com/ACCOUNT/NAME`";
    let arn = parse(text).ok_or_else(|| format!("{FORM}; `{text}` is no ARN."))?;
    let source = (arn.service == "events")
        .then(|| arn.resource.strip_prefix("event-source/"))
        .flatten()
        .ok_or_else(|| format!("{FORM}; `{text}` is the ARN of something else."))?;
    let parts: Vec<&str> = source.split('/').collect();
    match parts[..] {
        ["aws.partner", partner @ "scalr.com", scalr_account, connection]
            if !scalr_account.is_empty() && !connection.is_empty() =>
        {
            Ok(EventSource {
                partition: arn.partition,
                region: arn.region,
                source,
                partner,
                scalr_account,
                connection,
            })
        }
        _ => Err(format!("{FORM}; the source in `{text}` is not one of Scalr's.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_come_apart() {
        let arn = parse("arn:aws:logs:us-east-1:123456789012:log-group:/a/b:*").expect("an ARN");
        assert_eq!(
            (arn.service, arn.account, arn.resource),
            ("logs", "123456789012", "log-group:/a/b:*")
        );
        for bad in ["", "arn", "arn:aws", "arn:aws:logs:r:a:", "urn:aws:logs:r:a:x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn log_groups_lose_their_star() {
        for (arn, name) in [
            (
                "arn:aws:logs:us-east-1:1:log-group:/aws/events/x:*",
                Some("/aws/events/x"),
            ),
            ("arn:aws:logs:us-east-1:1:log-group:x", Some("x")),
            ("arn:aws:sqs:us-east-1:1:x", None),
            ("nonsense", None),
        ] {
            assert_eq!(log_group_name(arn), name, "{arn}");
        }
    }

    /// The local AWS's list is held to the same regions.
    #[test]
    fn arns_have_the_partition_of_their_region() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/partitions.json")).expect("JSON");
        for (region, partition) in list["regions"].as_object().expect("regions") {
            let partition = partition.as_str().expect("a name");
            assert_eq!(
                of_log_group(region, "1", "g"),
                format!("arn:{partition}:logs:{region}:1:log-group:g")
            );
            assert_eq!(
                of_rule(region, "1", "b", "r"),
                format!("arn:{partition}:events:{region}:1:rule/b/r")
            );
        }
    }

    #[test]
    fn event_sources() {
        let got =
            parse_event_source("arn:aws:events:eu-west-1::event-source/aws.partner/scalr.com/acme/prod");
        let got = got.expect("a source");
        assert_eq!(
            (got.region, got.scalr_account, got.connection),
            ("eu-west-1", "acme", "prod")
        );
        for bad in [
            "x",
            "arn:aws:events:r:1:event-bus/x",
            "arn:aws:events:r::event-source/aws.partner/other.com/a/b",
            "arn:aws:events:r::event-source/aws.partner/scalr.com/a",
            "arn:aws:events:r::event-source/aws.partner/scalr.com/a/b/c",
        ] {
            assert!(parse_event_source(bad).is_err(), "{bad}");
        }
    }
}
