//! Credentials between configuration and AWS's forms, of which it has one for creating and one for updating.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::operation::describe_connection::DescribeConnectionOutput;
use aws_sdk_eventbridge::types::{
    ConnectionAuthorizationType, ConnectionBodyParameter, ConnectionHeaderParameter,
    ConnectionHttpParameters, ConnectionOAuthHttpMethod, CreateConnectionApiKeyAuthRequestParameters,
    CreateConnectionAuthRequestParameters, CreateConnectionBasicAuthRequestParameters,
    CreateConnectionOAuthClientRequestParameters, CreateConnectionOAuthRequestParameters,
    UpdateConnectionApiKeyAuthRequestParameters, UpdateConnectionAuthRequestParameters,
    UpdateConnectionBasicAuthRequestParameters, UpdateConnectionOAuthClientRequestParameters,
    UpdateConnectionOAuthRequestParameters,
};

use super::ApiDestination;
use super::parts::{ApiKey, Basic, OAuth};
use crate::values::Secret;

type Texts = BTreeMap<String, String>;

impl ApiDestination {
    /// The secret that the configuration holds.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secret_wo.as_ref()
    }

    /// Keeps the secret out of logs and messages: AWS may repeat what it refuses.
    pub(super) fn hide_secret(&self) {
        if let Some(secret) = self.secret() {
            tfplugin::log::hide(secret.reveal());
        }
    }

    fn secret_text(&self) -> String {
        self.secret().map(Secret::reveal).unwrap_or_default().to_owned()
    }

    /// AWS's name of the kind.
    pub(super) fn kind(&self) -> ConnectionAuthorizationType {
        match (&self.api_key, &self.basic) {
            (Some(_), _) => ConnectionAuthorizationType::ApiKey,
            (_, Some(_)) => ConnectionAuthorizationType::Basic,
            _ => ConnectionAuthorizationType::OauthClientCredentials,
        }
    }

    /// Whether an update has to send the secret: it is of another kind or version, or was lost.
    pub(super) fn sends_secret(&self, prior: &Self) -> bool {
        self.kind() != prior.kind()
            || self.secret_wo_version != prior.secret_wo_version
            || prior.status.as_deref() == Some(super::NOT_AUTHORIZED)
    }

    /// Whether nothing of the connection differs.
    pub(super) fn has_credentials_of(&self, prior: &Self) -> bool {
        self.secret_wo_version == prior.secret_wo_version
            && self.api_key == prior.api_key
            && self.basic == prior.basic
            && self.oauth == prior.oauth
            && self.header_parameters == prior.header_parameters
    }

    /// The parameters of a new connection.
    pub(super) fn new_auth(&self) -> Result<CreateConnectionAuthRequestParameters, BuildError> {
        let mut auth = CreateConnectionAuthRequestParameters::builder();
        let secret = self.secret_text();
        if let Some(key) = &self.api_key {
            let parameters = CreateConnectionApiKeyAuthRequestParameters::builder()
                .api_key_name(&key.name)
                .api_key_value(secret);
            auth = auth.api_key_auth_parameters(parameters.build()?);
        } else if let Some(basic) = &self.basic {
            let parameters = CreateConnectionBasicAuthRequestParameters::builder()
                .username(&basic.username)
                .password(secret);
            auth = auth.basic_auth_parameters(parameters.build()?);
        } else if let Some(oauth) = &self.oauth {
            let client = CreateConnectionOAuthClientRequestParameters::builder()
                .client_id(&oauth.client_id)
                .client_secret(secret);
            let parameters = CreateConnectionOAuthRequestParameters::builder()
                .client_parameters(client.build()?)
                .authorization_endpoint(&oauth.authorization_endpoint)
                .http_method(ConnectionOAuthHttpMethod::from(&*oauth.http_method))
                .o_auth_http_parameters(body(oauth.body_parameters.as_ref()));
            auth = auth.o_auth_parameters(parameters.build()?);
        }
        let headers = headers(self.header_parameters.as_ref());
        Ok(auth.invocation_http_parameters(headers).build())
    }

    /// The parameters that an update sends; the secret only where it is to be another one.
    pub(super) fn changed_auth(&self, sends_secret: bool) -> UpdateConnectionAuthRequestParameters {
        let mut auth = UpdateConnectionAuthRequestParameters::builder();
        let secret = sends_secret.then(|| self.secret_text());
        if let Some(key) = &self.api_key {
            let parameters = UpdateConnectionApiKeyAuthRequestParameters::builder()
                .api_key_name(&key.name)
                .set_api_key_value(secret);
            auth = auth.api_key_auth_parameters(parameters.build());
        } else if let Some(basic) = &self.basic {
            let parameters = UpdateConnectionBasicAuthRequestParameters::builder()
                .username(&basic.username)
                .set_password(secret);
            auth = auth.basic_auth_parameters(parameters.build());
        } else if let Some(oauth) = &self.oauth {
            let client = UpdateConnectionOAuthClientRequestParameters::builder()
                .client_id(&oauth.client_id)
                .set_client_secret(secret);
            let parameters = UpdateConnectionOAuthRequestParameters::builder()
                .client_parameters(client.build())
                .authorization_endpoint(&oauth.authorization_endpoint)
                .http_method(ConnectionOAuthHttpMethod::from(&*oauth.http_method))
                .o_auth_http_parameters(body(oauth.body_parameters.as_ref()));
            auth = auth.o_auth_parameters(parameters.build());
        }
        let headers = headers(self.header_parameters.as_ref());
        auth.invocation_http_parameters(headers).build()
    }

    /// Takes what AWS shows of a connection, which is everything but the secrets.
    pub(super) fn with_connection(&mut self, held: &DescribeConnectionOutput) {
        self.connection_arn = held.connection_arn().map(str::to_owned);
        let auth = held.auth_parameters();
        let key = auth.and_then(|auth| auth.api_key_auth_parameters());
        self.api_key = key.map(|key| ApiKey {
            name: key.api_key_name().unwrap_or_default().to_owned(),
        });
        let basic = auth.and_then(|auth| auth.basic_auth_parameters());
        self.basic = basic.map(|basic| Basic {
            username: basic.username().unwrap_or_default().to_owned(),
        });
        let oauth = auth.and_then(|auth| auth.o_auth_parameters());
        let known = self.oauth.take();
        self.oauth = oauth.map(|oauth| {
            let shown = oauth
                .o_auth_http_parameters()
                .map(ConnectionHttpParameters::body_parameters);
            let shown = shown.unwrap_or_default().iter();
            let shown = shown.filter_map(|one| Some((one.key()?.to_owned(), one.value()?.to_owned())));
            let written = known.as_ref().and_then(|known| known.body_parameters.as_ref());
            let client = oauth.client_parameters().and_then(|client| client.client_id());
            let method = oauth.http_method().map(ConnectionOAuthHttpMethod::as_str);
            OAuth {
                client_id: client.unwrap_or_default().to_owned(),
                authorization_endpoint: oauth.authorization_endpoint().unwrap_or_default().to_owned(),
                http_method: method.unwrap_or_default().to_owned(),
                body_parameters: held_texts(shown.collect(), written),
            }
        });
        let shown = auth.and_then(|auth| auth.invocation_http_parameters());
        let shown = shown
            .map(ConnectionHttpParameters::header_parameters)
            .unwrap_or_default()
            .iter();
        let shown = shown.filter_map(|one| Some((one.key()?.to_owned(), one.value()?.to_owned())));
        self.header_parameters = held_texts(shown.collect(), self.header_parameters.as_ref());
    }
}

/// AWS has no empty map. One that is written as empty stays so.
fn held_texts(held: Texts, written: Option<&Texts>) -> Option<Texts> {
    (!held.is_empty() || written.is_some_and(BTreeMap::is_empty)).then_some(held)
}

/// Lists are replaced as a whole: an empty one removes what is there.
fn headers(texts: Option<&Texts>) -> ConnectionHttpParameters {
    let one = |(key, value): (&String, &String)| {
        let header = ConnectionHeaderParameter::builder().key(key).value(value);
        header.is_value_secret(false).build()
    };
    let all = texts.into_iter().flatten().map(one).collect();
    ConnectionHttpParameters::builder()
        .set_header_parameters(Some(all))
        .build()
}

fn body(texts: Option<&Texts>) -> ConnectionHttpParameters {
    let one = |(key, value): (&String, &String)| {
        let member = ConnectionBodyParameter::builder().key(key).value(value);
        member.is_value_secret(false).build()
    };
    let all = texts.into_iter().flatten().map(one).collect();
    ConnectionHttpParameters::builder()
        .set_body_parameters(Some(all))
        .build()
}
