//! AWS from the partner's side: creates and deletes event sources, reads their state, puts events.
//!
//! Always through the AWS SDK with its endpoint setting. Real and local AWS differ in the credentials alone.

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_eventbridge::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_eventbridge::operation::create_partner_event_source::CreatePartnerEventSourceOutput;
use aws_sdk_eventbridge::operation::list_partner_event_source_accounts::ListPartnerEventSourceAccountsOutput;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{EventSourceState, PutPartnerEventsRequestEntry};

use crate::aws_calls::{Calls, Credentials as Standing, Ended, Operation};
use crate::aws_clients::{AwsClients, has};
use crate::aws_error::{AwsError, EntryResults, SourceState, incomplete};
use crate::bus_calls;
use crate::event_bus::{CallLimits, EventBus, EventBuses, is_of_partner};
use crate::store::{Entry, SourceKey};

/// The partner's side of AWS. Clones share clients.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    clients: AwsClients,
    /// What events are put to in place of event sources, if anything.
    buses: EventBuses,
}

/// What takes the events of a source.
enum Outlet<'a> {
    /// The partner event source of that name.
    Source,
    Bus(&'a EventBus),
    /// Nothing, for this reason.
    None(SourceState),
}

/// Nothing is known of an event source while the service is no partner.
fn waits_for_partner(what: &str) -> AwsError {
    AwsError::Retryable(format!(
        "A partner event source can be {what} once the service is started without `--put-events-to`"
    ))
}

impl Partner {
    /// The local AWS at this endpoint, as this account.
    pub(crate) fn local(endpoint: impl Into<String>, account: &str) -> Self {
        // A 12-digit access key id is the account; the local AWS checks no signature.
        Self::with_keys(endpoint, account, "none", None)
    }

    /// The AWS at this endpoint, with these keys.
    pub(crate) fn with_keys(
        endpoint: impl Into<String>,
        id: &str,
        secret: &str,
        session_token: Option<&str>,
    ) -> Self {
        let session_token = session_token.map(str::to_owned);
        let credentials = Credentials::new(id, secret, session_token, None, "companion");
        Self::new(Some(endpoint.into()), SharedCredentialsProvider::new(credentials))
    }

    /// The AWS at this endpoint, or AWS itself, with the credentials that AWS's own tools would use.
    pub(crate) async fn real(endpoint: Option<&str>, region: &str) -> Self {
        let credentials = DefaultCredentialsChain::builder()
            .region(Region::new(region.to_owned()))
            .build()
            .await;
        let endpoint = endpoint.map(str::to_owned);
        Self::new(endpoint, SharedCredentialsProvider::new(credentials))
    }

    fn new(endpoint: Option<String>, credentials: SharedCredentialsProvider) -> Self {
        Self {
            clients: AwsClients::new(endpoint, credentials),
            buses: EventBuses::default(),
        }
    }

    /// The same, which puts events to these event buses in place of event sources, if there are any.
    pub(crate) fn putting_to(self, buses: EventBuses) -> Self {
        Self { buses, ..self }
    }

    /// What events are put to in place of event sources, if anything.
    pub(crate) const fn buses(&self) -> &EventBuses {
        &self.buses
    }

    /// What one call that puts events may have in a region.
    pub(crate) fn limits(&self, region: &str) -> CallLimits {
        let bus = self.buses.of_region(region);
        bus.map_or(CallLimits::PARTNER, EventBus::limits)
    }

    /// How its calls end.
    pub(crate) const fn calls(&self) -> &Calls {
        &self.clients.calls
    }

    /// Looks for credentials, and notes whether there are any; what was known of that before comes first.
    pub(crate) async fn look_for_credentials(&self) -> (Standing, Result<(), CredentialsError>) {
        self.clients.look_for_credentials().await
    }

    /// The account of the credentials.
    pub(crate) async fn account(&self, region: &str) -> Result<String, AwsError> {
        self.clients.account(region).await
    }

    /// What takes the events of a source. It was made for one of the two: who starts the service otherwise does not mean these events to
    /// go elsewhere.
    fn outlet(&self, source: &SourceKey) -> Outlet<'_> {
        match (self.buses.is_empty(), is_of_partner(&source.name)) {
            (true, true) => Outlet::Source,
            (true, false) => Outlet::None(SourceState::MadeForBus),
            (false, true) => Outlet::None(SourceState::MadeForPartner),
            (false, false) => {
                let bus = self.buses.of_connection(&source.region, &source.aws_account_id);
                bus.map_or(Outlet::None(SourceState::NotServed), Outlet::Bus)
            }
        }
    }

    /// Creates a source; one that exists for the same customer counts as created. An event bus has none.
    pub(crate) async fn create(&self, source: &SourceKey) -> Result<(), AwsError> {
        match self.outlet(source) {
            Outlet::Source => {}
            Outlet::None(SourceState::MadeForPartner) => return Err(waits_for_partner("made")),
            Outlet::Bus(_) | Outlet::None(_) => return Ok(()),
        }
        let call = self
            .clients
            .classic(&source.region)
            .create_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send();
        let operation = Operation::CreatePartnerEventSource;
        let judge = |made: &CreatePartnerEventSourceOutput| has(made.event_source_arn().is_some());
        match self.clients.called(&source.region, operation, call, judge).await {
            Ok(made) if made.event_source_arn().is_some() => Ok(()),
            Ok(_) => Err(incomplete("the event source's ARN")),
            Err(AwsError::Refused { code, message }) if code == "ResourceAlreadyExistsException" => {
                // Created by an earlier call whose answer was lost, if it is this customer's.
                match self.state(source).await? {
                    SourceState::Missing => Err(AwsError::Refused { code, message }),
                    _ => Ok(()),
                }
            }
            Err(other) => Err(other),
        }
    }

    /// Deletes a source; one that does not exist counts as deleted. An event bus has none, and stays.
    pub(crate) async fn delete(&self, source: &SourceKey) -> Result<(), AwsError> {
        match self.outlet(source) {
            Outlet::Source => {}
            Outlet::None(SourceState::MadeForPartner) => return Err(waits_for_partner("deleted")),
            Outlet::Bus(_) | Outlet::None(_) => return Ok(()),
        }
        let call = self
            .clients
            .classic(&source.region)
            .delete_partner_event_source()
            .name(&source.name)
            .account(&source.aws_account_id)
            .send();
        let operation = Operation::DeletePartnerEventSource;
        match self
            .clients
            .called(&source.region, operation, call, |_| Ended::DONE)
            .await
        {
            Ok(_) => Ok(()),
            Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// The state of a source in the customer's account, or of the event bus that stands for it.
    pub(crate) async fn state(&self, source: &SourceKey) -> Result<SourceState, AwsError> {
        match self.outlet(source) {
            Outlet::Source => {}
            Outlet::Bus(bus) => return bus_calls::state(&self.clients, bus).await,
            Outlet::None(why) => return Ok(why),
        }
        let client = self.clients.classic(&source.region);
        let mut next = None;
        // Bounded: the worst case is a page for each account, and no source has more accounts than that.
        for _ in 0..1000 {
            let call = client
                .list_partner_event_source_accounts()
                .event_source_name(&source.name)
                .set_next_token(next)
                .send();
            let operation = Operation::ListPartnerEventSourceAccounts;
            let judge = |page: &ListPartnerEventSourceAccountsOutput| {
                has(page.partner_event_source_accounts.is_some())
            };
            let page = match self.clients.called(&source.region, operation, call, judge).await {
                Ok(page) => page,
                Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => {
                    return Ok(SourceState::Missing);
                }
                Err(other) => return Err(other),
            };
            let accounts = page.partner_event_source_accounts.as_deref();
            let accounts = accounts.ok_or_else(|| incomplete("the accounts of the event source"))?;
            if let Some(found) = accounts
                .iter()
                .find(|a| a.account() == Some(&source.aws_account_id))
            {
                return match found.state() {
                    Some(EventSourceState::Active) => Ok(SourceState::Active),
                    Some(EventSourceState::Deleted) => Ok(SourceState::Deleted),
                    Some(EventSourceState::Pending) => Ok(SourceState::Pending),
                    _ => Err(incomplete("a known state of the event source")),
                };
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(SourceState::Missing);
            }
        }
        Ok(SourceState::Missing)
    }

    /// Sends events of any connections of a region: one result an entry, in their order.
    pub(crate) async fn put(&self, region: &str, entries: &[Entry]) -> Result<EntryResults, AwsError> {
        if let Some(bus) = self.buses.of_region(region) {
            return bus_calls::put(&self.clients, bus, entries).await;
        }
        if !self.buses.is_empty() {
            let why = format!("`--put-events-to` has no event bus in {region}");
            return Err(AwsError::Retryable(why));
        }
        let sent = entries.iter().map(|entry| {
            PutPartnerEventsRequestEntry::builder()
                .source(&entry.source)
                .detail_type(&entry.detail_type)
                .detail(&entry.detail)
                .time(DateTime::from_millis(entry.time_ms))
                .build()
        });
        let call = self
            .clients
            .classic(region)
            .put_partner_events()
            .set_entries(Some(sent.collect()))
            .send();
        self.clients
            .put(
                region,
                (Operation::PutPartnerEvents, entries.len()),
                call,
                |answer| {
                    let entries = answer.entries().iter();
                    let said =
                        entries.map(|entry| (entry.event_id(), entry.error_code(), entry.error_message()));
                    said.collect()
                },
            )
            .await
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::credential_fn::provide_credentials_fn;

    use super::*;
    use crate::aws_calls::Outcome;

    /// How the last call of a partner ended, with these credentials and nothing that answers.
    async fn last(partner: &Partner) -> Outcome {
        let source = SourceKey {
            name: "aws.partner/scalr.com/acme/prod".into(),
            region: "us-east-1".into(),
            aws_account_id: "123456789012".into(),
        };
        assert!(matches!(
            partner.state(&source).await,
            Err(AwsError::Retryable(_))
        ));
        partner.calls().standing().1[0].ended.outcome
    }

    #[tokio::test]
    async fn a_call_without_credentials_is_told_from_one_without_an_answer() {
        const NOTHING: &str = "http://127.0.0.1:1";
        let none = provide_credentials_fn(|| async { Err(CredentialsError::not_loaded("none")) });
        let partner = Partner::new(Some(NOTHING.into()), SharedCredentialsProvider::new(none));
        assert_eq!(last(&partner).await, Outcome::NoCredentials);
        assert_eq!(
            last(&Partner::local(NOTHING, "999900001111")).await,
            Outcome::Unanswered
        );
    }
}
