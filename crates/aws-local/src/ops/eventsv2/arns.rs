//! Which bus, event source or subscriber an ARN names: its name and the id that was made for it.

use super::faults::{denied, invalid, missing, state};
use crate::arn::{Arn, arn};
use crate::fault::Fault;
use crate::ops::Call;
use crate::policy::{Ask, Verdict};
use crate::state::RealmId;
use crate::state::custom_bus::{BusState, CustomBus, CustomBuses, EventSource, Subscriber};

/// The regions that have custom event buses, as AWS's SDKs list them (`endpoints.json` of botocore 1.44.8).
const REGIONS: [&str; 14] = [
    "ap-east-1",
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-5",
    "ap-southeast-7",
    "eu-central-1",
    "eu-north-1",
    "eu-south-2",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// `event-busv2/NAME/ID` and the like, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) id: String,
}

/// What an ARN names in the caller's account and region.
pub(super) fn named(call: &Call<'_>, text: &str) -> Result<Named, Fault> {
    let parsed = Arn::parse(text).and_then(|arn| Some((arn, taken_apart(arn.resource)?)));
    let Some((arn, named)) = parsed else {
        return Err(missing("Resource", text));
    };
    if arn.account != call.caller.account {
        return Err(denied());
    }
    if arn.region != call.caller.region {
        return Err(missing("Resource", text));
    }
    Ok(named)
}

/// The kind has one part, or two for event sources.
pub(crate) fn taken_apart(resource: &str) -> Option<Named> {
    let mut parts = resource.rsplitn(3, '/');
    let (id, name, kind) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Named {
        kind: kind.to_owned(),
        name: name.to_owned(),
        id: id.to_owned(),
    })
}

/// The custom event buses of the caller's account and region, where AWS has some.
pub(super) fn here<'c>(call: &'c mut Call<'_>) -> Result<&'c mut CustomBuses, Fault> {
    let region = call.caller.region.as_str();
    if !call.stored && !REGIONS.contains(&region) {
        return Err(invalid(format!(
            "AWS has no custom event buses in {region}. It has them in {}.",
            REGIONS.join(", ")
        )));
    }
    Ok(&mut call.realm().custom_buses)
}

pub(super) fn bus<'c>(call: &'c mut Call<'_>, text: &str) -> Result<&'c mut CustomBus, Fault> {
    let named = named(call, text)?;
    let bus = here(call)?.buses.get_mut(&named.name);
    bus.filter(|bus| bus.id == named.id && named.kind == "event-busv2")
        .ok_or_else(|| missing("Event bus", text))
}

/// The bus that an ARN names, and where it is, if the caller may do that to it. The policies of the bus say what other accounts
/// may do; its own account needs no Allow, but a Deny applies to it.
pub(super) fn allowed_bus<'c>(
    call: &'c mut Call<'_>,
    text: &str,
    action: &str,
) -> Result<(RealmId, &'c mut CustomBus), Fault> {
    let caller = call.caller;
    let may = |bus: &CustomBus, is_own: bool| {
        let ask = Ask {
            service: None,
            account: Some(&caller.account),
            action,
            resources: &[text],
            source_arn: "",
            source_account: "",
        };
        match bus.verdict(&ask) {
            Verdict::Allowed => true,
            Verdict::Denied => false,
            Verdict::Silent => is_own,
        }
    };
    let foreign = Arn::parse(text).filter(|arn| arn.account != caller.account);
    let Some(arn) = foreign else {
        let realm = call.here();
        let found = bus(call, text)?;
        return if may(found, true) {
            Ok((realm, found))
        } else {
            Err(denied())
        };
    };
    // Whether there is such a bus is not for everybody.
    let named =
        taken_apart(arn.resource).filter(|named| named.kind == "event-busv2" && arn.region == caller.region);
    let named = named.ok_or_else(denied)?;
    let realm = RealmId::new(arn.account, arn.region);
    let found = call.turn.world.realm_if_any(&realm);
    let found = found.and_then(|there| there.custom_buses.buses.get_mut(&named.name));
    let found = found.filter(|bus| bus.id == named.id && may(bus, false));
    found.map(|found| (realm, found)).ok_or_else(denied)
}

pub(super) fn source<'c>(call: &'c mut Call<'_>, text: &str) -> Result<&'c mut EventSource, Fault> {
    let named = named(call, text)?;
    let source = here(call)?.sources.get_mut(&named.name);
    source
        .filter(|source| source.id == named.id && named.kind == "event-sourcev2/aws.partner")
        .ok_or_else(|| missing("Event source", text))
}

pub(super) fn subscriber<'c>(call: &'c mut Call<'_>, text: &str) -> Result<&'c mut Subscriber, Fault> {
    let named = named(call, text)?;
    let bus = here(call)?.bus_of_subscriber(&named.name);
    bus.and_then(|bus| bus.subscribers.get_mut(&named.name))
        .filter(|subscriber| subscriber.id == named.id && named.kind == "subscriber")
        .ok_or_else(|| missing("Subscriber", text))
}

/// Refuses an operation on a bus whose state forbids it.
pub(super) fn check_state(
    bus: &CustomBus,
    now: i64,
    operation: &str,
    allowed: &[BusState],
) -> Result<(), Fault> {
    if allowed.contains(&bus.state(now)) {
        return Ok(());
    }
    let mut names: Vec<&str> = allowed.iter().map(|state| state.as_str()).collect();
    // A bus here never fails to change; AWS's text has that state too.
    names.push("UPDATE_FAILED");
    Err(state(format!(
        "EventBus is in invalid state for {operation}. Must be in one of [{}]",
        names.join(", ")
    )))
}

pub(super) fn bus_arn(realm: &RealmId, bus: &CustomBus) -> String {
    of(realm, "event-busv2", &bus.name, &bus.id)
}

pub(super) fn source_arn(realm: &RealmId, source: &EventSource) -> String {
    of(realm, "event-sourcev2/aws.partner", &source.name, &source.id)
}

pub(super) fn subscriber_arn(realm: &RealmId, name: &str, id: &str) -> String {
    of(realm, "subscriber", name, id)
}

fn of(realm: &RealmId, kind: &str, name: &str, id: &str) -> String {
    arn(
        "events",
        realm.region(),
        realm.account(),
        &[kind, "/", name, "/", id].concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The provider is held to the same list.
    #[test]
    fn the_regions_are_those_of_the_endpoints() {
        let list = include_str!("../../../../../tests/data/custom_event_bus_regions.json");
        let list: Vec<String> = serde_json::from_str(list).unwrap();
        assert_eq!(list, REGIONS);
    }

    #[test]
    fn resources_are_taken_apart() {
        let check = |resource: &str, expected: Option<(&str, &str, &str)>| {
            let found = taken_apart(resource);
            let found = found
                .as_ref()
                .map(|found| (&*found.kind, &*found.name, &*found.id));
            assert_eq!(found, expected, "{resource}");
        };
        check("event-busv2/b/1", Some(("event-busv2", "b", "1")));
        check(
            "event-sourcev2/aws.partner/s/2",
            Some(("event-sourcev2/aws.partner", "s", "2")),
        );
        check("event-bus/b", None);
    }
}
