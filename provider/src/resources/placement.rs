//! Whether a bus exists where a resource needs it, and is where its connection leads to, as Scalr says. What cannot be asked is
//! no finding.

use tfplugin::{Attr, Diagnostic, Path, Plan, PlanAction, Resource};

use super::{messages, names};
use crate::aws::arn;
use crate::aws::look::Service;
use crate::client::Client;
use crate::defaults;
use crate::ownership::Object;
use crate::scalr::places::Place;
use crate::values::Region;

/// Where a resource looks for its bus. An account that is not known is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    /// The AWS account.
    pub account: Option<String>,
    /// The region.
    pub region: String,
}

impl Here {
    fn is(&self, place: &Place) -> bool {
        self.has_account(place) && place.region == self.region
    }

    /// Whether the connection leads to this account, as far as it is known.
    pub fn has_account(&self, place: &Place) -> bool {
        self.account
            .as_ref()
            .is_none_or(|account| *account == place.account)
    }
}

/// A bus that is in another account or region than its connection.
pub struct Elsewhere {
    place: Place,
    here: Here,
    /// The connection that leads here.
    neighbour: Option<Place>,
    at: Path,
}

impl Elsewhere {
    /// With the plan of a resource, as in "the rule `r`": a warning, since the plan of a connection that leads here may come later
    /// than that of what names its bus in words.
    pub fn warning(self, whose: &str) -> Diagnostic {
        let places = (&self.place, self.neighbour.as_ref());
        messages::bus_elsewhere(places, &self.here, whose).at(self.at)
    }
}

/// The attributes of a resource that say where its bus is.
pub struct Attributes<R> {
    /// The name of the bus.
    pub bus: Attr<R, String>,
    /// The region.
    pub region: Attr<R, Option<Region>>,
    /// The ARN of an object that exists.
    pub arn: fn(&R) -> Option<&str>,
}

/// What a plan has said of a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// That it does not exist, or is elsewhere.
    Found,
    /// Nothing.
    Nothing,
}

/// Judges the bus on which a resource is to be made: it is elsewhere, or does not exist. `whose`: the resource, as in "the rule `r`".
pub async fn judge<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    attributes: &Attributes<R>,
    whose: &str,
) -> Judged {
    let Some(name) = plan.planned(attributes.bus.clone()).known() else {
        return Judged::Nothing;
    };
    if plan.is_within_apply() {
        return Judged::Nothing;
    }
    if let Some(elsewhere) = find(plan, attributes).await {
        plan.warn(elsewhere.warning(whose));
        return Judged::Found;
    }
    let region = String::new();
    let bus = Object::Bus { region, name };
    let Some(missing) = names::missing(plan, &attributes.region, bus).await else {
        return Judged::Nothing;
    };
    plan.warn(missing.warning(whose).at(attributes.bus.clone()));
    Judged::Found
}

/// Looks for a bus that is in another account or region than its connection.
pub async fn find<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    attributes: &Attributes<R>,
) -> Option<Elsewhere> {
    let name = plan.planned(attributes.bus.clone()).known();
    let name = name.filter(|name| name.starts_with(scalr_events::SOURCE_PREFIX))?;
    if plan.action() == PlanAction::Delete {
        return None;
    }
    let places = of_connection(plan, &name).await?;
    if places.iter().all(|place| place.source != name) {
        return None;
    }
    let region = &attributes.region;
    let here = here(plan, region, attributes.arn).await?;
    let place = misplaced(&name, &places, &here)?.clone();
    let is_at_region = here.has_account(&place) && !plan.config(region.clone()).is_null();
    let at = if is_at_region {
        region.clone().into()
    } else {
        attributes.bus.clone().into()
    };
    Some(Elsewhere {
        neighbour: neighbour(plan, &here).await,
        place,
        here,
        at,
    })
}

/// The connection's place, if it is another. A connection of each region may have the name.
fn misplaced<'p>(source: &str, places: &'p [Place], here: &Here) -> Option<&'p Place> {
    let mut of_source = places.iter().filter(|place| place.source == source);
    let is_here = of_source.clone().any(|place| here.is(place));
    of_source.next().filter(|_| !is_here)
}

/// The places of the connections that are named as the last part of their event source; none where Scalr gives no answer.
pub async fn of_connection<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    source: &str,
) -> Option<std::sync::Arc<[Place]>> {
    let client = plan.client()?;
    let scalr = client.scalr().ok()?;
    let (_, name) = source.rsplit_once('/')?;
    client.places().of(scalr, Some(name), plan.cancelled()).await
}

/// The connection that leads here: there is one for each account and region.
async fn neighbour<R: Resource<Client = Client>>(plan: &Plan<'_, R>, here: &Here) -> Option<Place> {
    here.account.as_ref()?;
    let client = plan.client()?;
    let all = client
        .places()
        .of(client.scalr().ok()?, None, plan.cancelled())
        .await?;
    all.iter().find(|place| here.is(place)).cloned()
}

async fn here<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    region: &Attr<R, Option<Region>>,
    arn: fn(&R) -> Option<&str>,
) -> Option<Here> {
    let known = plan
        .planned(region.clone())
        .known()
        .map(|region| region.to_string());
    let of_object = plan
        .prior()
        .and_then(arn)
        .and_then(arn::account)
        .map(str::to_owned);
    if let (Some(region), Some(account)) = (&known, of_object) {
        return Some(Here {
            account: Some(account),
            region: region.clone(),
        });
    }
    let Some(aws) = defaults::look(plan, region).await else {
        return known.map(|region| Here {
            account: None,
            region,
        });
    };
    let account = aws.heard(Service::Events, aws.account().await).map(str::to_owned);
    Some(Here {
        account: account.filter(|account| !account.is_empty()),
        region: aws.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "aws.partner/scalr.com/acme/prod";

    fn place(source: &str, account: &str, region: &str) -> Place {
        Place {
            connection: "prod".to_owned(),
            source: source.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
        }
    }

    #[test]
    fn a_bus_is_where_a_connection_of_its_source_leads() {
        let (one, other) = (place(SOURCE, "1", "us-east-1"), place(SOURCE, "1", "eu-west-1"));
        let foreign = place("aws.partner/scalr.com/beta/prod", "2", "eu-west-1");
        for (places, account, region, misplaced_in) in [
            (vec![&one], Some("1"), "us-east-1", None),
            (vec![&one], None, "us-east-1", None),
            (vec![&one], Some("2"), "us-east-1", Some("us-east-1")),
            (vec![&one], Some("1"), "eu-west-1", Some("us-east-1")),
            (vec![&one], None, "eu-west-1", Some("us-east-1")),
            (vec![&one, &other], Some("1"), "eu-west-1", None),
            (vec![&foreign], Some("1"), "us-east-1", None),
            (vec![], Some("1"), "us-east-1", None),
        ] {
            let places: Vec<Place> = places.into_iter().cloned().collect();
            let here = Here {
                account: account.map(str::to_owned),
                region: region.to_owned(),
            };
            let found = misplaced(SOURCE, &places, &here).map(|place| place.region.as_str());
            assert_eq!(found, misplaced_in, "{places:?} {here:?}");
        }
    }
}
