//! The chain from a connection to a log group, link by link: which one is broken, why, and what to do about it. Pure.

use scalr_api::Status;

use super::text::Shown;
use crate::event_bus::is_of_partner;
use crate::export::{Bus, Rule};

/// One link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) what: Shown,
    /// Why it is broken or waits, and what to do.
    pub(super) why: Shown,
}

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Works,
    Broken,
    /// An earlier link is broken.
    Waits,
    /// Not visible from the partner's side.
    Hidden,
}

impl State {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Broken => "broken",
            Self::Waits => "waits for the link before it",
            Self::Hidden => "not visible from here",
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Works => "ok",
            Self::Broken => "bad",
            Self::Waits => "wait",
            Self::Hidden => "off",
        }
    }
}

/// What is known of a chain.
pub(super) struct Seen<'a> {
    pub(super) status: &'a Status,
    pub(super) error: Option<&'a str>,
    pub(super) source: &'a str,
    /// The source's state; none where AWS has no such source.
    pub(super) source_state: Option<&'a str>,
    /// What the customer's side has; none where it cannot be seen.
    pub(super) customer: Option<Customer<'a>>,
}

/// The customer's side.
pub(super) struct Customer<'a> {
    pub(super) bus: Option<&'a Bus>,
    /// What AWS manages the bus for, in place of rules of the customer's.
    pub(super) feed: Option<&'a Feed>,
    /// Log groups of targets: name, whether it is there, whether EventBridge may write to it.
    pub(super) groups: Vec<(String, bool, bool)>,
}

/// A bus that AWS manages leads the events to a custom event bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Feed {
    /// The service that manages the bus.
    pub(super) service: String,
    /// The custom event bus; none where no rule leads to one.
    pub(super) to: Option<String>,
}

/// Whether a link works, what it is, and why it does not.
type Judged = (bool, String, String);

/// The links in their order. After a broken one the others wait.
pub(super) fn links(seen: &Seen<'_>) -> Vec<Link> {
    let mut links = vec![
        link("Connection", connection(seen)),
        link(
            if is_of_partner(seen.source) {
                "Partner event source"
            } else {
                "Event bus of the service"
            },
            source(seen),
        ),
    ];
    match &seen.customer {
        None => links.extend(["Event bus", "Rule", "Target", "Log group"].map(|name| Link {
            name,
            state: State::Hidden,
            what: Shown::default(),
            why: Shown::new("Not visible from here: a partner sees no further than its event source."),
        })),
        Some(Customer { feed: Some(feed), .. }) => links.extend(fed(seen, feed)),
        Some(customer) => {
            links.push(link("Event bus", bus(seen, customer)));
            links.push(link("Rule", rule(customer)));
            links.push(link("Target", target(customer)));
            links.push(link("Log group", group(customer)));
        }
    }
    let mut is_broken = false;
    for link in &mut links[1..] {
        if is_broken && link.state == State::Broken {
            link.state = State::Waits;
        }
        is_broken |= link.state == State::Broken;
    }
    links
}

fn link(name: &'static str, (works, what, why): Judged) -> Link {
    Link {
        name,
        state: if works { State::Works } else { State::Broken },
        what: Shown::new(what),
        why: Shown::new(if works { String::new() } else { why }),
    }
}

fn connection(seen: &Seen<'_>) -> Judged {
    let why = match seen.status {
        Status::Pending => "It is pending: events are held. Choose Refresh status once the links below work.",
        Status::Disabled => "It is paused: events are held. Choose Resume.",
        Status::Failed => {
            "It has failed: events are held. Correct what the message says, then choose Refresh status."
        }
        Status::Active => "",
        Status::Other(_) => "This version does not know the status.",
    };
    let error = seen.error.map(|error| format!(" {error}")).unwrap_or_default();
    let works = *seen.status == Status::Active;
    (
        works,
        format!("status {}", seen.status.in_words()),
        format!("{why}{error}"),
    )
}

fn source(seen: &Seen<'_>) -> Judged {
    match seen.source_state {
        Some("ACTIVE") => (true, seen.source.to_owned(), String::new()),
        Some("PENDING") => (
            false,
            seen.source.to_owned(),
            "Its state is PENDING: no event bus is associated with it, and AWS drops what is sent. Choose Associate with event \
             bus."
                .to_owned(),
        ),
        Some(state) => (false, seen.source.to_owned(), format!("Its state is {state}.")),
        None if !is_of_partner(seen.source) => (
            false,
            seen.source.to_owned(),
            "AWS does not have the service's event bus. Create it, then choose Refresh status.".to_owned(),
        ),
        None => (
            false,
            seen.source.to_owned(),
            "AWS has no such event source. Choose Refresh status: that creates it again.".to_owned(),
        ),
    }
}

fn bus(seen: &Seen<'_>, customer: &Customer<'_>) -> Judged {
    match customer.bus {
        Some(bus) => (true, bus.name.clone(), String::new()),
        None => (
            false,
            "none".to_owned(),
            format!(
                "There is no event bus {}. Associate the event source with one.",
                seen.source
            ),
        ),
    }
}

/// From the bus that AWS manages to a custom event bus, behind which the console shows nothing.
fn fed(seen: &Seen<'_>, feed: &Feed) -> [Link; 3] {
    let service = &feed.service;
    let bus = format!("{}, which {service} manages for a custom event bus", seen.source);
    let why = format!(
        "No rule of {service} leads to a custom event bus, and the events are dropped. Update the event source with its configuration: \
         that makes the rule again."
    );
    let hidden = match &feed.to {
        Some(name) => format!(
            "The subscribers of the custom event bus {name} deliver the events. The console does not show them: `aws eventsv2 \
             list-subscribers` does."
        ),
        None => "No custom event bus has the events.".to_owned(),
    };
    [
        link("Event bus", (true, bus, String::new())),
        link(
            "Custom event bus",
            (
                feed.to.is_some(),
                feed.to.clone().unwrap_or("none".to_owned()),
                why,
            ),
        ),
        Link {
            name: "Subscribers",
            state: State::Hidden,
            what: Shown::default(),
            why: Shown::new(hidden),
        },
    ]
}

fn rules<'a>(customer: &Customer<'a>) -> &'a [Rule] {
    customer.bus.map_or(&[], |bus| bus.rules.as_slice())
}

/// Rules that can pick up an event of Scalr's.
fn working<'a>(customer: &Customer<'a>) -> impl Iterator<Item = &'a Rule> {
    rules(customer)
        .iter()
        .filter(|rule| rule.enabled && misses(&rule.event_pattern).is_empty())
}

/// Why a pattern matches no event of Scalr's.
pub(super) fn misses(pattern: &str) -> Vec<String> {
    let pattern = serde_json::from_str(pattern).unwrap_or_default();
    scalr_events::unmatched(&pattern).whole
}

fn rule(customer: &Customer<'_>) -> Judged {
    let names: Vec<&str> = working(customer).map(|rule| rule.name.as_str()).collect();
    if !names.is_empty() {
        return (true, names.join(", "), String::new());
    }
    let why = match rules(customer) {
        [] => "The event bus has no rule, so events go nowhere. Choose Create rule.".to_owned(),
        [one, ..] if !one.enabled => format!("The rule {} is disabled.", one.name),
        [one, ..] => format!(
            "The pattern of the rule {} matches none of Scalr's events: {}.",
            one.name,
            misses(&one.event_pattern).join("; ")
        ),
    };
    (false, "none that picks up events".to_owned(), why)
}

fn target(customer: &Customer<'_>) -> Judged {
    let targets: Vec<&str> = working(customer)
        .flat_map(|rule| &rule.targets)
        .map(|target| target.arn.as_str())
        .collect();
    if targets.is_empty() {
        let why = "No rule that picks up events has a target. Create a rule with one.";
        return (false, "none".to_owned(), why.to_owned());
    }
    (true, targets.join(", "), String::new())
}

fn group(customer: &Customer<'_>) -> Judged {
    let names: Vec<&str> = customer.groups.iter().map(|(name, ..)| name.as_str()).collect();
    let missing = customer.groups.iter().find(|(_, is_there, _)| !is_there);
    let closed = customer.groups.iter().find(|(_, _, is_permitted)| !is_permitted);
    let why = match (missing, closed) {
        (Some((name, ..)), _) => format!("There is no log group {name}, so its events are lost. Create it."),
        (None, Some((name, ..))) => format!(
            "No resource policy lets EventBridge write to {name}, so nothing arrives there and no error says so. Create \
             the rule's target again here, or with Terraform."
        ),
        (None, None) if names.is_empty() => {
            "No target leads to a log group; other targets are not looked at.".to_owned()
        }
        (None, None) => String::new(),
    };
    (why.is_empty(), names.join(", "), why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Target;

    const SOURCE: &str = "aws.partner/scalr.com/local/prod";

    fn bus(rules: Vec<Rule>) -> Bus {
        Bus {
            name: SOURCE.to_owned(),
            rules,
            ..Bus::default()
        }
    }

    fn rule(pattern: &str, enabled: bool, targets: usize) -> Rule {
        let target = Target {
            arn: "arn:aws:logs:us-east-1:1:log-group:/g".to_owned(),
            ..Target::default()
        };
        Rule {
            name: "r".to_owned(),
            event_pattern: pattern.to_owned(),
            enabled,
            targets: vec![target; targets],
            ..Rule::default()
        }
    }

    /// A letter a link, `w`orks, `b`roken, wa`i`ts or `h`idden, and why the first broken one is.
    #[track_caller]
    fn check(status: &Status, state: Option<&str>, customer: Option<Customer<'_>>, want: &str, why: &str) {
        let links = links(&Seen {
            status,
            error: None,
            source: SOURCE,
            source_state: state,
            customer,
        });
        let letters: String = links
            .iter()
            .map(|link| match link.state {
                State::Works => 'w',
                State::Broken => 'b',
                State::Waits => 'i',
                State::Hidden => 'h',
            })
            .collect();
        assert_eq!(letters, want, "{links:#?}");
        let broken = links.iter().skip(1).find(|link| link.state == State::Broken);
        let said = broken.or(links.first()).map(|link| link.why.to_string());
        let said = said.unwrap_or_default();
        assert!(said.contains(why), "{said}");
    }

    const RUNS: &str = r#"{"detail-type":["RunExecuted"]}"#;
    const ACTIVE: Option<&str> = Some("ACTIVE");

    /// What is seen of the customer's side: a bus, and its log group, if it is there and open.
    fn seen(bus: Option<&Bus>, group: Option<(bool, bool)>) -> Customer<'_> {
        let group = group.map(|(is_there, is_permitted)| ("/g".to_owned(), is_there, is_permitted));
        let groups = group.into_iter().collect();
        Customer {
            bus,
            feed: None,
            groups,
        }
    }

    #[test]
    fn a_custom_event_bus_is_said() {
        for (to, want, why) in [
            (Some("scalr"), "wwwwh", ""),
            (None, "wwwbh", "No rule of events.amazonaws.com"),
        ] {
            let feed = Feed {
                service: "events.amazonaws.com".to_owned(),
                to: to.map(str::to_owned),
            };
            let customer = Customer {
                feed: Some(&feed),
                ..seen(None, None)
            };
            check(&Status::Active, ACTIVE, Some(customer), want, why);
        }
    }

    #[test]
    fn a_broken_link_on_scalrs_side_is_named() {
        let pending = Some("PENDING");
        check(&Status::Active, ACTIVE, None, "wwhhhh", "");
        check(
            &Status::Pending,
            pending,
            None,
            "bbhhhh",
            "no event bus is associated",
        );
        check(
            &Status::Pending,
            pending,
            Some(seen(None, None)),
            "bbiiii",
            "PENDING",
        );
        check(
            &Status::Failed,
            None,
            Some(seen(None, None)),
            "bbiiii",
            "Refresh status",
        );
    }

    #[test]
    fn a_broken_link_on_the_customers_side_is_named() {
        let of = |rules: Vec<Rule>, want: &str, why: &str| {
            check(
                &Status::Active,
                ACTIVE,
                Some(seen(Some(&bus(rules)), None)),
                want,
                why,
            );
        };
        of(vec![], "wwwbii", "has no rule");
        of(vec![rule(RUNS, false, 1)], "wwwbii", "is disabled");
        of(
            vec![rule(r#"{"detail-type":["Other"]}"#, true, 1)],
            "wwwbii",
            "matches none",
        );
        of(vec![rule(RUNS, true, 0)], "wwwwbi", "has a target");
        let whole = bus(vec![rule(RUNS, true, 1)]);
        let with = |group| Some(seen(Some(&whole), Some(group)));
        check(
            &Status::Active,
            ACTIVE,
            with((false, false)),
            "wwwwwb",
            "no log group /g",
        );
        check(
            &Status::Active,
            ACTIVE,
            with((true, false)),
            "wwwwwb",
            "No resource policy",
        );
        check(&Status::Active, ACTIVE, with((true, true)), "wwwwww", "");
        check(&Status::Disabled, ACTIVE, with((true, true)), "bwwwww", "paused");
    }
}
