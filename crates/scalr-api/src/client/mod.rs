//! The HTTP client: one method a call of Scalr's API.
//!
//! Invariants: a POST that the server may have carried out is never retried; a 404 means "gone" only in the API's own error
//! form, so that a wrong host never looks like a deleted object; the token is in no message, and no body is logged.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! error host pace retry roots token    leaves
//! credentials               the token that Terraform's or OpenTofu's command line has for a host
//! settings                  how to reach the API
//! exchange                  one call: sent, answered, retried
//! ```

pub mod credentials;
mod error;
mod exchange;
mod host;
mod pace;
mod retry;
mod roots;
mod settings;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use self::error::{ClientError, Refusal};
use self::exchange::{Body, Exchange, Request};
pub use self::host::{Host, HostError};
pub use self::pace::{Answered, Paced};
pub use self::retry::Retry;
pub use self::roots::{ExtraRoots, RootsError};
pub use self::settings::Settings;
pub use self::token::{Token, TokenError};
use crate::{
    ACCOUNTS_PATH, AccessToken, AccessTokenId, AccessTokenInput, AccessTokenRelationships, Account,
    AccountId, AuditLogSetting, AuditLogSettingInput, AuditLogSettingInputRelationships, Connection,
    ConnectionId, ConnectionInput, Deliveries, DeliveriesChanged, DeliveriesWanted, Delivery, Document,
    EVENTS_PATH, Emit, Emitted, Environment, EnvironmentId, FAILING_RUNS_PATH, FailingRun, Held, Id, Input,
    Kind, List, ManagedAccount, ManagedAccountInput, Nothing, Object, OwnToken, OwnTokenId, OwnTokenInput,
    PAGE_SIZE_MAX, Run, RunId, RunInput, RunInputRelationships, Status, TOKENS_PATH, ToOne, Workspace,
    WorkspaceId, deliveries_path, delivery_path,
};

/// Pages of a list that are read at most.
const PAGES_MAX: u32 = 100;
/// Objects of a list that are read at most: those of so many pages.
const OBJECTS_MAX: usize = 10_000;

/// Scalr's API. Clones share connections; nothing is opened or read before the first call.
#[derive(Clone, Debug)]
pub struct Client {
    exchange: Arc<Exchange>,
    stop: CancellationToken,
}

impl Client {
    /// A client; this makes no call.
    pub fn new(settings: Settings) -> Self {
        Self {
            exchange: Arc::new(Exchange::new(settings)),
            stop: CancellationToken::new(),
        }
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.exchange.settings().host
    }

    /// The same client, which ends when `stop` is cancelled: its retries, and the calls that are idempotent. A POST in
    /// flight is still waited for, because its answer has the new object's id.
    pub fn stopping_with(&self, stop: CancellationToken) -> Self {
        Self {
            exchange: Arc::clone(&self.exchange),
            stop,
        }
    }

    /// Creates a connection.
    pub async fn create_connection(&self, input: ConnectionInput) -> Result<Object<Connection>, ClientError> {
        self.post(Connection::PATH, Input::new(input, Nothing {})).await
    }

    /// The connection of that id; `None` when there is none.
    pub async fn connection(&self, id: &ConnectionId) -> Result<Option<Object<Connection>>, ClientError> {
        self.get(format!("{}/{id}", Connection::PATH)).await
    }

    /// Changes a connection, and returns it as it is then.
    pub async fn update_connection(
        &self,
        id: &ConnectionId,
        input: ConnectionInput,
    ) -> Result<Object<Connection>, ClientError> {
        let path = format!("{}/{id}", Connection::PATH);
        self.patch(
            path,
            Input {
                id: Some(id.clone()),
                ..Input::new(input, Nothing {})
            },
        )
        .await
    }

    /// Has the server read the source's state from AWS, and returns the connection as it is then. On a paused connection the
    /// same call resumes the stream, so it is never retried: a retry could undo a pause made meanwhile.
    pub async fn refresh_connection(&self, id: &ConnectionId) -> Result<Object<Connection>, ClientError> {
        let data = Input {
            id: Some(id.clone()),
            ..Input::new(ConnectionInput::status(Status::Active), Nothing {})
        };
        let path = format!("{}/{id}", Connection::PATH);
        self.write(&Request::patch(path, &Document { data })?.without_retry())
            .await
    }

    /// Deletes a connection; `false` when there was none.
    pub async fn delete_connection(&self, id: &ConnectionId) -> Result<bool, ClientError> {
        let request = Request::delete(format!("{}/{id}", Connection::PATH));
        let deleted = self.exchange.send(&request, &self.stop, |_| Ok(())).await;
        Ok(gone_is_none(deleted)?.is_some())
    }

    /// All connections, or those of exactly that name.
    pub async fn connections(&self, name: Option<&str>) -> Result<Vec<Object<Connection>>, ClientError> {
        let name = name.map(|name| ("filter[name]", name.to_owned()));
        let all = self.list(Connection::PATH, name, None).await?;
        Ok(all.unwrap_or_default())
    }

    /// All connections, where they fill at most so many pages; none where they fill more.
    pub async fn connections_within(
        &self,
        pages_max: u32,
    ) -> Result<Option<Vec<Object<Connection>>>, ClientError> {
        self.list(Connection::PATH, None, Some(pages_max)).await
    }

    /// What a connection holds, has delivered and has dropped. The companion answers this; Scalr itself has no such path.
    pub async fn delivery(&self, id: &ConnectionId) -> Result<Delivery, ClientError> {
        let request = Request::get(delivery_path(id), Vec::new()).at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// The oldest held events, of one connection and of one id where these are given. A call of the companion's alone.
    pub async fn held(
        &self,
        connection: Option<&ConnectionId>,
        event: Option<&str>,
    ) -> Result<Held, ClientError> {
        let mut query = Vec::new();
        query.extend(connection.map(|id| ("connection", id.to_string())));
        query.extend(event.map(|id| ("event", id.to_owned())));
        let request = Request::get(EVENTS_PATH.to_owned(), query).at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// Some of a connection's deliveries that are over. A call of the companion's alone.
    pub async fn deliveries(
        &self,
        connection: &ConnectionId,
        wanted: &DeliveriesWanted,
    ) -> Result<Deliveries, ClientError> {
        let mut query = vec![("state", wanted.state.as_str().to_owned())];
        query.extend(wanted.event.clone().map(|event| ("event", event)));
        query.extend(wanted.from.clone().map(|from| ("from", from)));
        query.extend(wanted.to.clone().map(|to| ("to", to)));
        query.extend(wanted.after.map(|after| ("after", after.to_string())));
        query.extend(wanted.until.map(|until| ("until", until.to_string())));
        let request = Request::get(deliveries_path(connection), query).at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// Has some of a connection's deliveries sent again: a step, after which the answer says how to go on. A call of the companion's
    /// alone.
    pub async fn redeliver(
        &self,
        connection: &ConnectionId,
        wanted: &DeliveriesWanted,
    ) -> Result<DeliveriesChanged, ClientError> {
        self.change_deliveries(connection, "redeliver", wanted).await
    }

    /// Has some of a connection's failed deliveries purged: a step as well.
    pub async fn purge_deliveries(
        &self,
        connection: &ConnectionId,
        wanted: &DeliveriesWanted,
    ) -> Result<DeliveriesChanged, ClientError> {
        self.change_deliveries(connection, "purge", wanted).await
    }

    async fn change_deliveries(
        &self,
        connection: &ConnectionId,
        change: &str,
        wanted: &DeliveriesWanted,
    ) -> Result<DeliveriesChanged, ClientError> {
        let path = format!("{}/{change}", deliveries_path(connection));
        let request = Request::post(path, wanted)?.at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// Has an event accepted as if it had just happened. A call of the companion's alone.
    pub async fn emit(&self, event: &Emit) -> Result<Emitted, ClientError> {
        let request = Request::post(EVENTS_PATH.to_owned(), event)?.at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// Starts a run that ends as errored. A call of the companion's alone.
    pub async fn create_failing_run(&self, run: &FailingRun) -> Result<Object<Run>, ClientError> {
        let request = Request::post(FAILING_RUNS_PATH.to_owned(), run)?.at_the_root();
        let read = |body: Body| body.read(&request);
        self.exchange.send(&request, &self.stop, read).await
    }

    /// All accounts of a companion, or the one of exactly that name. A call of the companion's alone, for operators.
    pub async fn managed_accounts(
        &self,
        name: Option<&str>,
    ) -> Result<Vec<Object<ManagedAccount>>, ClientError> {
        let name = name.map(|name| ("filter[name]", name.to_owned()));
        self.list_at_the_root(ACCOUNTS_PATH, name).await
    }

    /// Creates an account of a companion.
    pub async fn create_account(&self, name: &str) -> Result<Object<ManagedAccount>, ClientError> {
        let input = ManagedAccountInput {
            name: Some(name.to_owned()),
            status: None,
        };
        let data: Input<ManagedAccount> = Input::new(input, Nothing {});
        let request = Request::post(ACCOUNTS_PATH.to_owned(), &Document { data })?;
        self.write(&request.at_the_root()).await
    }

    /// Sets the status of an account of a companion: `active` or `disabled`.
    pub async fn set_account_status(
        &self,
        id: &Id<ManagedAccount>,
        status: &str,
    ) -> Result<Object<ManagedAccount>, ClientError> {
        let input = ManagedAccountInput {
            name: None,
            status: Some(status.to_owned()),
        };
        let data = Input {
            id: Some(id.clone()),
            ..Input::new(input, Nothing {})
        };
        let request = Request::patch(format!("{ACCOUNTS_PATH}/{id}"), &Document { data })?;
        self.write(&request.at_the_root()).await
    }

    /// The access tokens of a companion; of one account where it is given. A call of the companion's alone, for operators.
    pub async fn access_tokens(
        &self,
        account: Option<&str>,
    ) -> Result<Vec<Object<AccessToken>>, ClientError> {
        let account = account.map(|id| ("filter[account]", id.to_owned()));
        self.list_at_the_root(TOKENS_PATH, account).await
    }

    /// Creates an access token of a companion, whose text is in the answer; without an account, an operator's.
    pub async fn create_access_token(
        &self,
        account: Option<AccountId>,
        input: AccessTokenInput,
    ) -> Result<Object<AccessToken>, ClientError> {
        let account = account.map_or_else(ToOne::none, ToOne::to);
        let data: Input<AccessToken> = Input::new(input, AccessTokenRelationships { account });
        let request = Request::post(TOKENS_PATH.to_owned(), &Document { data })?;
        self.write(&request.at_the_root()).await
    }

    /// Revokes an access token of a companion; `false` when there is none.
    pub async fn revoke_access_token(&self, id: &AccessTokenId) -> Result<bool, ClientError> {
        let request = Request::delete(format!("{TOKENS_PATH}/{id}")).at_the_root();
        let revoked = self.exchange.send(&request, &self.stop, |_| Ok(())).await;
        Ok(gone_is_none(revoked)?.is_some())
    }

    /// Makes a token that ends by itself, whose text is in the answer.
    pub async fn create_own_token(&self, input: OwnTokenInput) -> Result<Object<OwnToken>, ClientError> {
        let data: Input<OwnToken> = Input::new(input, Nothing {});
        let request = Request::post(OwnToken::PATH.to_owned(), &Document { data })?;
        self.write(&request).await
    }

    /// Ends a token that was made so; `false` when there is none.
    pub async fn delete_own_token(&self, id: &OwnTokenId) -> Result<bool, ClientError> {
        let request = Request::delete(format!("{}/{id}", OwnToken::PATH));
        let deleted = self.exchange.send(&request, &self.stop, |_| Ok(())).await;
        Ok(gone_is_none(deleted)?.is_some())
    }

    /// The audit-log setting of an account; `None` when the account is gone, or the server has no such setting.
    pub async fn audit_log_setting(
        &self,
        account: &AccountId,
    ) -> Result<Option<Object<AuditLogSetting>>, ClientError> {
        self.get(audit_log_path(account)).await
    }

    /// Selects the connection that an account's audit log is streamed to, or none.
    pub async fn set_audit_log_setting(
        &self,
        account: &AccountId,
        connection: Option<&ConnectionId>,
    ) -> Result<Object<AuditLogSetting>, ClientError> {
        let integration = connection.map_or_else(ToOne::none, |id| ToOne::to(id.clone()));
        let input = Input::new(
            AuditLogSettingInput {
                enabled: Some(connection.is_some()),
            },
            AuditLogSettingInputRelationships {
                integration: Some(integration),
            },
        );
        self.patch(audit_log_path(account), input).await
    }

    /// The account of that id; `None` when there is none.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Object<Account>>, ClientError> {
        self.get(format!("{}/{id}", Account::PATH)).await
    }

    /// The workspace of that id; `None` when there is none.
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<Option<Object<Workspace>>, ClientError> {
        self.get(format!("{}/{id}", Workspace::PATH)).await
    }

    /// The environment of that id; `None` when there is none.
    pub async fn environment(&self, id: &EnvironmentId) -> Result<Option<Object<Environment>>, ClientError> {
        self.get(format!("{}/{id}", Environment::PATH)).await
    }

    /// All workspaces, or those of exactly that name.
    pub async fn workspaces(&self, name: Option<&str>) -> Result<Vec<Object<Workspace>>, ClientError> {
        let name = name.map(|name| ("filter[name]", name.to_owned()));
        let all = self.list(Workspace::PATH, name, None).await?;
        Ok(all.unwrap_or_default())
    }

    /// All workspaces, where they fill at most so many pages; none where they fill more.
    pub async fn workspaces_within(
        &self,
        pages_max: u32,
    ) -> Result<Option<Vec<Object<Workspace>>>, ClientError> {
        self.list(Workspace::PATH, None, Some(pages_max)).await
    }

    /// All environments, where they fill at most so many pages; none where they fill more.
    pub async fn environments_within(
        &self,
        pages_max: u32,
    ) -> Result<Option<Vec<Object<Environment>>>, ClientError> {
        self.list(Environment::PATH, None, Some(pages_max)).await
    }

    /// The first page of the runs, the newest first; of one workspace where it is given.
    pub async fn latest_runs(
        &self,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Vec<Object<Run>>, ClientError> {
        let mut query = vec![
            ("page[number]", "1".to_owned()),
            ("page[size]", PAGE_SIZE_MAX.to_string()),
        ];
        query.extend(workspace.map(|id| ("filter[workspace]", id.to_string())));
        let request = Request::get(Run::PATH.to_owned(), query);
        let read = |body: Body| body.read::<List<Run>>(&request);
        Ok(self.exchange.send(&request, &self.stop, read).await?.data)
    }

    /// Starts a run in a workspace.
    pub async fn create_run(
        &self,
        workspace: WorkspaceId,
        input: RunInput,
    ) -> Result<Object<Run>, ClientError> {
        let relationships = RunInputRelationships {
            workspace: ToOne::to(workspace),
        };
        self.post(Run::PATH, Input::new(input, relationships)).await
    }

    /// The run of that id; `None` when there is none.
    pub async fn run(&self, id: &RunId) -> Result<Option<Object<Run>>, ClientError> {
        self.get(format!("{}/{id}", Run::PATH)).await
    }

    async fn get<K: Kind>(&self, path: String) -> Result<Option<Object<K>>, ClientError> {
        let request = Request::get(path, Vec::new());
        let read = |body: Body| body.read::<Document<Object<K>>>(&request);
        let found = gone_is_none(self.exchange.send(&request, &self.stop, read).await)?;
        Ok(found.map(|document| document.data))
    }

    async fn post<K: Kind>(&self, path: &str, data: Input<K>) -> Result<Object<K>, ClientError> {
        let request = Request::post(path.to_owned(), &Document { data })?;
        self.write(&request).await
    }

    async fn patch<K: Kind>(&self, path: String, data: Input<K>) -> Result<Object<K>, ClientError> {
        let request = Request::patch(path, &Document { data })?;
        self.write(&request).await
    }

    async fn write<K: Kind>(&self, request: &Request) -> Result<Object<K>, ClientError> {
        let read = |body: Body| body.read::<Document<Object<K>>>(request);
        let document = self.exchange.send(request, &self.stop, read).await?;
        Ok(document.data)
    }

    /// A whole list of the companion's alone.
    async fn list_at_the_root<K: Kind>(
        &self,
        path: &str,
        filter: Option<(&'static str, String)>,
    ) -> Result<Vec<Object<K>>, ClientError> {
        let all = self.pages(path, Request::at_the_root, filter, None).await?;
        Ok(all.unwrap_or_default())
    }

    /// The whole list; none where it has more pages than are wanted at most.
    async fn list<K: Kind>(
        &self,
        path: &str,
        filter: Option<(&'static str, String)>,
        pages_max: Option<u32>,
    ) -> Result<Option<Vec<Object<K>>>, ClientError> {
        self.pages(path, |request| request, filter, pages_max).await
    }

    async fn pages<K: Kind>(
        &self,
        path: &str,
        at: fn(Request) -> Request,
        filter: Option<(&'static str, String)>,
        pages_max: Option<u32>,
    ) -> Result<Option<Vec<Object<K>>>, ClientError> {
        let mut all = Vec::new();
        let mut page = 1;
        for pages in 1..=PAGES_MAX {
            let mut query = vec![
                ("page[number]", page.to_string()),
                ("page[size]", PAGE_SIZE_MAX.to_string()),
            ];
            query.extend(filter.clone());
            let request = at(Request::get(path.to_owned(), query));
            let read = |body: Body| body.read::<List<K>>(&request);
            let list = self.exchange.send(&request, &self.stop, read).await?;
            let pagination = list.meta.pagination;
            all.extend(list.data);
            // A server that sends more than the page that was asked for must not fill the memory.
            if all.len() > OBJECTS_MAX {
                return Err(ClientError::NotTheApi {
                    request: format!("GET /{path}"),
                    host: self.host().to_string(),
                    reason: format!("a list of more than {OBJECTS_MAX} objects"),
                });
            }
            // A server that names an earlier page again would cause an endless loop.
            let Some(next) = pagination.next_page.filter(|next| *next > page) else {
                break;
            };
            if pages_max.is_some_and(|max| pages >= max || pagination.total_pages > max) {
                return Ok(None);
            }
            page = next;
        }
        Ok(Some(all))
    }
}

fn audit_log_path(account: &AccountId) -> String {
    format!("{}/{account}/audit-log-setting", Account::PATH)
}

fn gone_is_none<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::Refused(refusal)) if refusal.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}
