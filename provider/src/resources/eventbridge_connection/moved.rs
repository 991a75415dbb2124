//! A connection that Scalr's own provider has managed until now.

use tfplugin::{MoveFrom, MoveRefused, MovedObject};

use super::{Connection, messages};
use crate::aws::arn;
use crate::check;
use crate::resources::moved::{self, SCALR, owned, text};
use crate::values::Region;

/// Where a connection may come from.
pub(super) fn sources() -> Vec<MoveFrom<Connection>> {
    vec![MoveFrom::new(
        SCALR,
        "scalr_event_bridge_integration",
        0..=0,
        from_scalr,
    )]
}

fn from_scalr(object: &mut MovedObject) -> Result<Connection, MoveRefused> {
    let state = object.state();
    let id = moved::needed(state, "id")?;
    check::connection_id(id).map_err(|why| messages::id_to_move(id, &why))?;
    let source = text(state, "event_source_name");
    let source_arn = text(state, "event_source_arn");
    let parsed = source_arn.and_then(arn::parse);
    let of_arn = parsed.and_then(|arn| arn.resource.strip_prefix("event-source/"));
    moved::agreed(
        "event source",
        &[("event_source_name", source), ("event_source_arn", of_arn)],
    )?;
    let region = moved::needed(state, "region")?;
    let region_of_arn = parsed.map(|arn| arn.region).filter(|region| !region.is_empty());
    moved::agreed(
        "region",
        &[("region", Some(region)), ("event_source_arn", region_of_arn)],
    )?;
    Ok(Connection {
        name: moved::needed(state, "name")?.to_owned(),
        aws_account_id: moved::needed(state, "aws_account_id")?.to_owned(),
        region: Region::from(region),
        // Scalr's provider does not know of pauses: a refresh tells.
        enabled: true,
        id: Some(id.to_owned()),
        event_source_name: owned(state, "event_source_name"),
        event_source_arn: owned(state, "event_source_arn"),
        account_id: None,
        status: None,
        error_message: None,
    })
}
