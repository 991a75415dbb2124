//! The trait of a provider, and the registry of what it offers.

use std::future::Future;

use super::action::Action;
use super::config::Config;
use super::data_source::DataSource;
use super::ephemeral::Ephemeral;
use super::erased::{AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyList, AnyResource};
use super::function::Function;
use super::list::List;
use super::resource::Resource;
use super::rules::Rules;
use crate::attr::Attrs;
use crate::diag::{Diagnostics, Result};

/// A provider: the struct is its configuration.
pub trait Provider: Attrs {
    /// The prefix of its resources and data sources.
    const NAME: &'static str;
    /// What its resources work with.
    type Client: Send + Sync + 'static;
    /// Rules over several settings.
    const RULES: Rules<Self> = Vec::new;

    /// Makes the client. Settings of type `Value` may be unknown here; where another setting is unknown, this is
    /// not called, and plans go without a client.
    fn configure(self, request: &ConfigureRequest) -> impl Future<Output = Result<Self::Client>> + Send;

    /// Says what the provider offers.
    fn register(registry: &mut Registry<Self::Client>);

    /// Refuses a configuration that neither an attribute's `check` nor [`Provider::RULES`] can judge. Values may be
    /// unknown.
    fn validate_config(_config: &Config<'_, Self>, _diags: &mut Diagnostics) {}
}

/// Who is asking the provider to configure itself.
#[derive(Clone, Debug, Default)]
pub struct ConfigureRequest {
    pub(crate) terraform_version: String,
    pub(crate) provider_name: &'static str,
    pub(crate) provider_version: &'static str,
    pub(crate) more_user_agent: String,
}

impl ConfigureRequest {
    /// The version of Terraform. OpenTofu gives that of a Terraform that it is compatible with.
    pub fn terraform_version(&self) -> &str {
        &self.terraform_version
    }

    /// The provider's own version.
    pub fn provider_version(&self) -> &str {
        self.provider_version
    }

    /// A `User-Agent`: the provider and its version, the version that the client gives, and what the user adds with the
    /// variable `TF_APPEND_USER_AGENT`. Which tool the client is, is not known.
    pub fn user_agent(&self) -> String {
        let mut text = format!(
            "terraform-provider-{}/{}",
            self.provider_name, self.provider_version
        );
        if !self.terraform_version.is_empty() {
            text.extend([
                " (plugin protocol 6; client version ",
                &self.terraform_version,
                ")",
            ]);
        }
        let more = self.more_user_agent.trim();
        if !more.is_empty() {
            text.extend([" ", more]);
        }
        // A header holds nothing else.
        text.retain(|c| c == ' ' || c.is_ascii_graphic());
        text
    }
}

/// What a provider offers.
pub struct Registry<C> {
    pub(crate) resources: Vec<Box<dyn AnyResource>>,
    pub(crate) data_sources: Vec<Box<dyn AnyDataSource>>,
    pub(crate) lists: Vec<Box<dyn AnyList>>,
    pub(crate) functions: Vec<Box<dyn AnyFunction>>,
    pub(crate) actions: Vec<Box<dyn AnyAction>>,
    pub(crate) ephemerals: Vec<Box<dyn AnyEphemeral>>,
    client: std::marker::PhantomData<fn() -> C>,
}

impl<C: Send + Sync + 'static> Registry<C> {
    pub(crate) fn new() -> Self {
        Self {
            resources: Vec::new(),
            data_sources: Vec::new(),
            lists: Vec::new(),
            functions: Vec::new(),
            actions: Vec::new(),
            ephemerals: Vec::new(),
            client: std::marker::PhantomData,
        }
    }

    /// Offers a managed resource.
    pub fn resource<R: Resource<Client = C>>(&mut self) -> &mut Self {
        self.resources.push(super::erased::resource::<R>());
        self
    }

    /// Offers a data source.
    pub fn data_source<D: DataSource<Client = C>>(&mut self) -> &mut Self {
        self.data_sources.push(super::erased::data_source::<D>());
        self
    }

    /// Offers a list of a resource's objects. The resource is offered too.
    pub fn list<L>(&mut self) -> &mut Self
    where
        L: List,
        L::Of: Resource<Client = C>,
    {
        self.lists.push(super::erased::list::<L>());
        self
    }

    /// Offers a function.
    pub fn function<F: Function>(&mut self) -> &mut Self {
        self.functions.push(super::erased::function::<F>());
        self
    }

    /// Offers an action. Terraform before 1.14 and OpenTofu do not see it.
    pub fn action<A: Action<Client = C>>(&mut self) -> &mut Self {
        self.actions.push(super::erased::action::<A>());
        self
    }

    /// Offers an ephemeral resource. Terraform before 1.10 and OpenTofu before 1.11 do not see it.
    pub fn ephemeral<E: Ephemeral<Client = C>>(&mut self) -> &mut Self {
        self.ephemerals.push(super::erased::ephemeral::<E>());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::ConfigureRequest;

    #[test]
    fn the_user_agent_claims_what_is_known() {
        for (version, more, want) in [
            ("", "", "terraform-provider-zoo/1.0"),
            (
                "1.13.0",
                "",
                "terraform-provider-zoo/1.0 (plugin protocol 6; client version 1.13.0)",
            ),
            (
                "1.13.0",
                " team/7 (ci)\r\nX: é ",
                "terraform-provider-zoo/1.0 (plugin protocol 6; client version 1.13.0) team/7 (ci)X: ",
            ),
        ] {
            let request = ConfigureRequest {
                terraform_version: version.to_owned(),
                provider_name: "zoo",
                provider_version: "1.0",
                more_user_agent: more.to_owned(),
            };
            assert_eq!(request.user_agent(), want, "{version} {more}");
        }
    }
}
