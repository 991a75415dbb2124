//! Import ids: `BUS`, `BUS/RULE`, `BUS/RULE/TARGET_ID`, each with `@REGION` at the end where the provider's own
//! region is not meant. A bus name holds `/` itself, so the parts come off the end. In place of the names an ARN may stand:
//! that of the bus or of its event source, that of the rule, that of the rule with `/TARGET_ID` after it. What is not on a
//! bus has a name alone.

use tfplugin::{Diagnostic, Diagnostics, Result};

use super::arn::{self, Arn};
use crate::check;
use crate::values::Region;

/// What an import id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a, const N: usize> {
    /// The names, the outermost first.
    pub names: [&'a str; N],
    /// The region, if one is given.
    pub region: Option<Region>,
    /// The ARN of the object, if that is what was given. Its account is the object's.
    pub arn: Option<String>,
}

/// The bus.
pub fn bus(id: &str) -> Result<Parts<'_, 1>> {
    let given = split(id)?;
    let name = match given.arn {
        None => Some(given.rest),
        Some(arn) => ["event-bus/", "event-source/"]
            .iter()
            .find_map(|kind| arn.resource.strip_prefix(kind)),
    };
    let form = || refused(id, "BUS", "`aws.partner/scalr.com/ACCOUNT/NAME`", "of the bus");
    let name = name.filter(|name| is_bus(name)).ok_or_else(form)?;
    Ok(Parts {
        names: [name],
        region: given.region,
        // An event source has another ARN than its bus, and no account in it.
        arn: given
            .arn
            .filter(|arn| !arn.account.is_empty())
            .map(|_| given.rest.to_owned()),
    })
}

/// Bus and rule.
pub fn rule(id: &str) -> Result<Parts<'_, 2>> {
    let given = split(id)?;
    let parts = given.of_rule().and_then(|rest| rest.rsplit_once('/'));
    let parts = parts.filter(|(bus, rule)| is_whole_bus(bus) && is_name(rule));
    let Some((bus, rule)) = parts else {
        let example = "`aws.partner/scalr.com/ACCOUNT/NAME/RULE`";
        return Err(refused(id, "BUS/RULE", example, "of the rule"));
    };
    Ok(Parts {
        names: [bus, rule],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// Bus, rule and target.
pub fn target(id: &str) -> Result<Parts<'_, 3>> {
    let given = split(id)?;
    let parts = given
        .of_rule()
        .and_then(|rest| rest.rsplit_once('/'))
        .filter(|(_, target)| is_name(target))
        .and_then(|(rest, target)| {
            let (bus, rule) = rest
                .rsplit_once('/')
                .filter(|(bus, rule)| is_whole_bus(bus) && is_name(rule))?;
            Some([bus, rule, target])
        });
    let Some(names) = parts else {
        let example = "`aws.partner/scalr.com/ACCOUNT/NAME/RULE/TARGET_ID`";
        return Err(refused(
            id,
            "BUS/RULE/TARGET_ID",
            example,
            "of the rule with `/TARGET_ID` after it",
        ));
    };
    Ok(Parts {
        names,
        region: given.region,
        arn: None,
    })
}

/// A queue.
pub fn queue(id: &str) -> Result<Parts<'_, 1>> {
    let given = split_of("sqs", id)?;
    let name = given.arn.map_or(given.rest, |arn| arn.resource);
    if !is_queue(name) {
        let detail = "The id has the form `NAME` or `NAME@REGION`, for a standard queue; or it is the ARN of the queue. Nothing \
                      was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    }
    Ok(Parts {
        names: [name],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// An API destination, which has the name of its connection.
pub fn api_destination(id: &str) -> Result<Parts<'_, 1>> {
    let given = split(id)?;
    let name = match given.arn {
        None => Some(given.rest),
        // An id that AWS chooses comes last.
        Some(arn) => arn
            .resource
            .strip_prefix("api-destination/")
            .and_then(|rest| rest.split_once('/'))
            .map(|(name, _)| name),
    };
    let Some(name) = name.filter(|name| is_name(name)) else {
        let detail = "The id has the form `NAME` or `NAME@REGION`; or it is the ARN of the API destination. Nothing was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    };
    Ok(Parts {
        names: [name],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// A custom event bus. Its ARN ends in an id that AWS chooses.
pub fn custom_bus(id: &str) -> Result<Parts<'_, 1>> {
    let given = split(id)?;
    let name = match given.arn {
        None => Some(given.rest),
        Some(_) => arn::custom_bus_name(given.rest),
    };
    let Some(name) = name.filter(|name| is_custom_bus(name)) else {
        let detail = "The id has the form `NAME` or `NAME@REGION`, for a custom event bus; or it is its ARN, \
                      `arn:aws:events:REGION:ACCOUNT_ID:event-busv2/NAME/ID`. A Classic event bus is imported as a \
                      `scalr_eventbridge_bus`. Nothing was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    };
    Ok(Parts {
        names: [name],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// An event source of custom event buses. Its ARN ends in an id that AWS chooses.
pub fn event_source(id: &str) -> Result<Parts<'_, 1>> {
    let given = split(id)?;
    let name = match given.arn {
        None => Some(given.rest),
        Some(_) => arn::custom_source_name(given.rest),
    };
    let Some(name) = name.filter(|name| is_custom_bus(name)) else {
        let detail = "The id has the form `NAME` or `NAME@REGION`, for an event source of a custom event bus; or it is its ARN, \
                      `arn:aws:events:REGION:ACCOUNT_ID:event-sourcev2/aws.partner/NAME/ID`. The partner's own event source is no \
                      resource. Nothing was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    };
    Ok(Parts {
        names: [name],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// A subscriber of a custom event bus. Its ARN ends in an id that AWS chooses.
pub fn subscriber(id: &str) -> Result<Parts<'_, 1>> {
    let given = split(id)?;
    let name = match given.arn {
        None => Some(given.rest),
        Some(_) => arn::subscriber_name(given.rest),
    };
    let Some(name) = name.filter(|name| is_custom_bus(name)) else {
        let detail = "The id has the form `NAME` or `NAME@REGION`, for a subscriber of a custom event bus; or it is its ARN, \
                      `arn:aws:events:REGION:ACCOUNT_ID:subscriber/NAME/ID`. Nothing was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    };
    Ok(Parts {
        names: [name],
        region: given.region,
        arn: given.arn.map(|_| given.rest.to_owned()),
    })
}

/// The ARNs of a topic and of a rule that may publish to it, with a comma between them.
pub fn topic_permission(id: &str) -> Result<[&str; 2]> {
    let is_of = |service: &str, text: &&str| arn::parse(text).is_some_and(|arn| arn.service == service);
    let parts = id
        .split_once(',')
        .filter(|(topic, rule)| is_of("sns", topic) && is_of("events", rule));
    let Some((topic, rule)) = parts else {
        let detail = "The id has the form `TOPIC_ARN,RULE_ARN`. Nothing was imported.";
        return Err(unreadable(id, detail.to_owned()).into());
    };
    Ok([topic, rule])
}

/// An id without its region.
struct Given<'a> {
    rest: &'a str,
    region: Option<Region>,
    arn: Option<Arn<'a>>,
}

impl<'a> Given<'a> {
    /// Bus, rule and what follows them.
    fn of_rule(&self) -> Option<&'a str> {
        match self.arn {
            None => Some(self.rest),
            Some(arn) => arn.resource.strip_prefix("rule/"),
        }
    }
}

fn split(id: &str) -> Result<Given<'_>> {
    split_of("events", id)
}

fn split_of<'a>(service: &str, id: &'a str) -> Result<Given<'a>> {
    let (rest, at_end) = split_region(id)?;
    let Some(arn) = arn::parse(rest) else {
        return Ok(Given {
            rest,
            region: at_end,
            arn: None,
        });
    };
    let region = Region::from(arn.region);
    let odd = match (check::region(arn.region), &at_end) {
        (Err(why), _) => Some(format!("The region of the ARN {why}; it is `{region}`.")),
        (Ok(()), Some(other)) if *other != region => Some(format!(
            "The ARN is of region {region}, and `@{other}` follows it."
        )),
        _ if arn.service != service => Some(format!("It is the ARN of something in `{}`.", arn.service)),
        _ => None,
    };
    match odd {
        Some(why) => Err(unreadable(id, format!("{why} Nothing was imported.")).into()),
        None => Ok(Given {
            rest,
            region: Some(region),
            arn: Some(arn),
        }),
    }
}

/// A wrong region would be asked for minutes before its name turned out to lead nowhere.
fn split_region(id: &str) -> Result<(&str, Option<Region>)> {
    let Some((rest, region)) = id.rsplit_once('@') else {
        return Ok((id, None));
    };
    check::region(region).map_err(|why| {
        unreadable(
            id,
            format!(
                "What follows its last `@` {why}; it is `{region}`. Without `@` the provider's own region is meant. Nothing \
                 was imported."
            ),
        )
    })?;
    Ok((rest, Some(Region::from(region))))
}

fn refused(id: &str, form: &str, example: &str, whose: &str) -> Diagnostics {
    let detail = format!(
        "The id has the form `{form}` or `{form}@REGION`, for an event bus of Scalr: {example}; or it is the ARN {whose}. \
         Nothing was imported."
    );
    unreadable(id, detail).into()
}

fn unreadable(id: &str, detail: String) -> Diagnostic {
    Diagnostic::error(format!("Import id `{id}` cannot be read")).detail(detail)
}

/// Letters of a rule's name or a target's id.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(is_letter)
}

/// Letters of the name of a standard queue.
pub fn is_queue(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=80).contains(&text.len()) && text.bytes().all(letter)
}

/// Letters of the name of a custom event bus.
pub fn is_custom_bus(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(is_letter)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// A bus's name that is not the beginning of one of Scalr's: what follows it would be taken for less than it is.
fn is_whole_bus(text: &str) -> bool {
    is_bus(text) && (!text.starts_with(scalr_events::SOURCE_PREFIX) || text.split('/').count() == 4)
}

/// Letters of a bus's name.
pub fn is_bus(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(is_letter))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values<const N: usize>(parts: Result<Parts<'_, N>>) -> Option<Vec<String>> {
        let parts = parts.ok()?;
        let names = parts.names.into_iter().map(str::to_owned);
        Some(
            names
                .chain(parts.region.map(|region| region.to_string()))
                .collect(),
        )
    }

    const BUS: &str = "aws.partner/scalr.com/acme/prod";

    #[test]
    fn ids() {
        assert_eq!(values(bus(BUS)), Some(vec![BUS.to_owned()]));
        assert_eq!(
            values(bus("x@eu-west-1")),
            Some(vec!["x".to_owned(), "eu-west-1".to_owned()])
        );
        for bad in [
            "",
            "@eu-west-1",
            "a//b",
            "a/",
            "a b",
            "x@",
            "x@us-east1",
            "x@us-east-1a",
        ] {
            assert_eq!(values(bus(bad)), None, "{bad}");
        }
        for bad in ["", "r", "/r", "bus/", "bus//r", "bus/r r"] {
            assert_eq!(values(rule(bad)), None, "{bad}");
        }
        for bad in ["", "t", "r/t", "/r/t", "bus/r/", "bus//t"] {
            assert_eq!(values(target(bad)), None, "{bad}");
        }
        // A part of a bus of Scalr's is not its bus.
        assert_eq!(values(rule(BUS)), None);
        assert_eq!(values(target(&format!("{BUS}/rule"))), None);
        assert!(values(target(&format!("{BUS}/rule/target"))).is_some());
    }

    #[test]
    fn arns() {
        let (bus_arn, rule_arn, source) = (
            format!("arn:aws:events:eu-west-1:123456789012:event-bus/{BUS}"),
            format!("arn:aws-us-gov:events:us-gov-west-1:123456789012:rule/{BUS}/r"),
            format!("arn:aws:events:eu-west-1::event-source/{BUS}"),
        );
        let want = |parts: &[&str]| Some(parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>());
        assert_eq!(values(bus(&bus_arn)), want(&[BUS, "eu-west-1"]));
        assert_eq!(values(bus(&source)), want(&[BUS, "eu-west-1"]));
        assert_eq!(values(rule(&rule_arn)), want(&[BUS, "r", "us-gov-west-1"]));
        let id = format!("{rule_arn}/t");
        assert_eq!(values(target(&id)), want(&[BUS, "r", "t", "us-gov-west-1"]));
        let id = format!("{bus_arn}@eu-west-1");
        assert_eq!(values(bus(&id)), want(&[BUS, "eu-west-1"]));
        // An object's own ARN says whose it is.
        assert_eq!(bus(&bus_arn).unwrap().arn, Some(bus_arn.clone()));
        assert_eq!(bus(&source).unwrap().arn, None);
        assert_eq!(rule(&rule_arn).unwrap().arn, Some(rule_arn.clone()));
        for bad in [
            &*rule_arn,
            &format!("{bus_arn}@us-east-1"),
            "arn:aws:events:eu-west-1:123456789012:event-bus/",
            "arn:aws:events::123456789012:event-bus/x",
            "arn:aws:logs:eu-west-1:123456789012:log-group:x",
        ] {
            assert_eq!(values(bus(bad)), None, "{bad}");
        }
        for bad in [
            &*bus_arn,
            "arn:aws:events:eu-west-1:123456789012:rule/r",
            &format!("arn:aws:events:eu-west-1:123456789012:rule/{BUS}"),
        ] {
            assert_eq!(values(rule(bad)), None, "{bad}");
        }
        for bad in [&*rule_arn, &*bus_arn] {
            assert_eq!(values(target(bad)), None, "{bad}");
        }
    }

    #[test]
    fn api_destinations() {
        let arn = "arn:aws:events:eu-west-1:123456789012:api-destination/hook/1234-abcd";
        for (id, want) in [
            ("hook", Some(vec!["hook"])),
            ("hook@eu-west-1", Some(vec!["hook", "eu-west-1"])),
            (arn, Some(vec!["hook", "eu-west-1"])),
            ("a/b", None),
            ("arn:aws:events:eu-west-1:123456789012:connection/hook/1234", None),
            ("arn:aws:events:eu-west-1:123456789012:api-destination/hook", None),
        ] {
            let want = want.map(|parts| parts.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(values(api_destination(id)), want, "{id}");
        }
    }

    #[test]
    fn custom_buses() {
        let of = |end: &str| format!("arn:aws:events:eu-west-1:123456789012:{end}");
        let arn = of("event-busv2/scalr/abcdefghij0123456789abcde");
        for (id, want) in [
            ("scalr", Some(vec!["scalr"])),
            ("scalr@eu-west-1", Some(vec!["scalr", "eu-west-1"])),
            (&*arn, Some(vec!["scalr", "eu-west-1"])),
            ("", None),
            ("-scalr", None),
            ("a/b", None),
            (&of("event-busv2/scalr"), None),
            (&of("event-busv2/scalr/short"), None),
            (&of("event-busv2/scalr/ABCDEFGHIJ0123456789ABCDE"), None),
            (&of("event-bus/scalr"), None),
        ] {
            let want = want.map(|parts| parts.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(values(custom_bus(id)), want, "{id}");
        }
        assert_eq!(custom_bus(&arn).unwrap().arn.as_deref(), Some(&*arn));
    }

    #[test]
    fn queues() {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:audit";
        for (id, want) in [
            ("audit", Some(vec!["audit"])),
            ("audit@eu-west-1", Some(vec!["audit", "eu-west-1"])),
            (arn, Some(vec!["audit", "eu-west-1"])),
            ("audit.fifo", None),
            ("", None),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/audit", None),
            ("arn:aws:sns:eu-west-1:123456789012:audit", None),
            ("arn:aws:sqs:eu-west-1:123456789012:audit@us-east-1", None),
        ] {
            let want = want.map(|parts| parts.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(values(queue(id)), want, "{id}");
        }
        assert_eq!(queue(arn).unwrap().arn.as_deref(), Some(arn));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            bus_name in "[._a-zA-Z0-9-]{1,12}(/[._a-zA-Z0-9-]{1,12}){0,4}",
            rule_name in "[._a-zA-Z0-9-]{1,64}",
            target_id in "[._a-zA-Z0-9-]{1,64}",
            region in prop::option::of("(us|eu|ap|sa|us-gov)-[a-z]{4,9}-[1-9]"),
        ) {
            let at = region.as_ref().map(|r| format!("@{r}")).unwrap_or_default();
            let want = |parts: &[&String]| -> Vec<String> {
                parts.iter().map(|part| (*part).clone()).chain(region.clone()).collect()
            };
            prop_assert_eq!(values(bus(&format!("{bus_name}{at}"))), Some(want(&[&bus_name])));
            prop_assert_eq!(values(rule(&format!("{bus_name}/{rule_name}{at}"))), Some(want(&[&bus_name, &rule_name])));
            prop_assert_eq!(
                values(target(&format!("{bus_name}/{rule_name}/{target_id}{at}"))),
                Some(want(&[&bus_name, &rule_name, &target_id]))
            );
        }

        #[test]
        fn nothing_panics(id in ".{0,80}") {
            let _ = (bus(&id), rule(&id), target(&id), queue(&id), api_destination(&id), custom_bus(&id));
        }
    }
}
