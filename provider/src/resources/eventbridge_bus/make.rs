//! Making a bus, or adopting the one that is there.

use tfplugin::{Operation, Result};

use super::{Bus, aws, managed, messages, source};
use crate::aws::Regional;
use crate::aws::tags::INSTANCE;
use crate::ownership::Owner;
use crate::resources::handover;

impl Bus {
    /// Waits for the source, and makes or adopts the bus.
    pub(super) async fn make(&mut self, operation: &Operation<'_, Self>, aws: &Regional) -> Result<()> {
        let state = source::wait_until_there(operation, aws, &self.event_source_name).await?;
        let held = managed::found(operation, aws, self).await?;
        self.source_state = Some(state.as_str().to_owned());
        let object = self.object();
        let mut turn = handover::turn_to_create(operation, &object).await?;
        let (arn, adopts) = aws::create(aws, operation.client(), self, (&state, held.as_ref())).await?;
        turn.own(&Owner::ensure(operation));
        self.arn = Some(arn.clone());
        operation.save(self.clone());
        // From here on nothing is an error: it would taint the bus, and the next apply would delete it.
        if adopts {
            handover::adopted(operation, aws, &object, (&arn, INSTANCE)).await;
        }
        if self.adopt_existing
            && let Err(failures) = aws::adopt(aws, operation.client(), self).await
        {
            for failure in &failures {
                operation.warn(messages::not_as_configured(&self.event_source_name, failure));
            }
        }
        Ok(())
    }
}
