//! Data source `scalr_eventbridge_sample_events`: "Sample event" in the AWS console, of every type at once.

use std::collections::BTreeMap;

use scalr_events::EventType;
use serde_json::json;
use tfplugin::{Attrs, DataSource, Operation, Result};

use crate::aws::checks;
use crate::check;
use crate::client::Client;
use crate::values::Region;

/// A sample of each type of event that Scalr sends, as JSON text, to test that a pattern matches at least one type. It makes no call. The function `sample_event` returns the sample of one type.
#[derive(Attrs, Clone, Debug)]
pub struct SampleEvents {
    /// Event source to put into the samples as `source`: a connection's `event_source_name`.
    #[tf(optional, check = checks::event_source)]
    event_source_name: Option<String>,
    /// AWS account to put into the samples as `account`.
    #[tf(optional, check = check::aws_account_id)]
    aws_account_id: Option<String>,
    /// AWS region to put into the samples as `region`.
    #[tf(optional)]
    region: Option<Region>,
    /// The samples by detail type, `RunExecuted` and `AuditLog`.
    #[tf(computed)]
    events: Option<BTreeMap<String, String>>,
}

impl DataSource for SampleEvents {
    const NAME: &'static str = "eventbridge_sample_events";
    type Client = Client;

    async fn read(config: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        let events =
            EventType::ALL.map(|event_type| (event_type.as_str().to_owned(), config.sample(event_type)));
        Ok(Self {
            events: Some(events.into()),
            ..config
        })
    }
}

impl SampleEvents {
    fn sample(&self, event_type: EventType) -> String {
        let members = [
            ("source", self.event_source_name.as_deref()),
            ("account", self.aws_account_id.as_deref()),
            ("region", self.region.as_deref()),
        ];
        if members.iter().all(|(_, value)| value.is_none()) {
            return scalr_events::sample_text(event_type).to_owned();
        }
        let mut event = scalr_events::sample(event_type);
        for (member, value) in members {
            if let Some(value) = value {
                event[member] = json!(value);
            }
        }
        event.to_string()
    }
}
