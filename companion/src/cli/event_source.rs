//! A connection's event source at AWS, where it can be seen: whether a bus is associated with it.

use std::time::Duration;

use scalr_api::ConnectionAttributes;

use super::aws;
use super::show::{escaped, quoted};
use crate::event_bus::is_of_partner;
use crate::export::Aws;
use crate::secrets;

/// How long AWS may take to show it.
const WITHIN: Duration = Duration::from_secs(10);

/// What AWS shows of an event source.
pub(super) enum BusSeen {
    /// No bus is associated with it.
    WithoutBus,
    /// A bus is, or there is no such source.
    Other,
    /// Nothing, for this reason.
    Hidden(String),
}

/// Looks at a connection's event source.
pub(super) async fn look(endpoint: Option<&str>, wire: &ConnectionAttributes) -> BusSeen {
    let source = wire.event_source.as_deref();
    let Some(source) = source.filter(|source| is_of_partner(source)) else {
        return BusSeen::Other;
    };
    let state = async {
        let config = aws::config("refresh", None, endpoint).await?;
        let aws = Aws::new(&config, &wire.region);
        let account = aws.account().await?;
        anyhow::ensure!(
            account == wire.aws_account_id,
            "it is in AWS account {}, and the credentials are of {account}",
            wire.aws_account_id
        );
        aws.source_state(source).await
    };
    match tokio::time::timeout(WITHIN, Box::pin(state)).await {
        Ok(Ok(Some(state))) if state == "PENDING" => BusSeen::WithoutBus,
        Ok(Ok(_)) => BusSeen::Other,
        Ok(Err(error)) => BusSeen::Hidden(escaped(&secrets::redact(&format!("{error:#}")))),
        Err(_) => BusSeen::Hidden(format!("AWS did not answer within {} seconds", WITHIN.as_secs())),
    }
}

/// The command that associates a source with a bus.
pub(super) fn create_bus(region: &str, source: &str) -> String {
    let (region, source) = (quoted(region), quoted(source));
    format!("aws events create-event-bus --region {region} --name {source} --event-source-name {source}")
}
