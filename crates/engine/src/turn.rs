//! Long work that one node does at a time: a lease that is prolonged while the work goes on.

use frontdesk_model::Timestamp;
use frontdesk_store::{StoreError, leases};

use crate::Engine;

/// The right to do something alone, for a time. A node that dies loses it when the time has passed.
pub struct Turn {
    engine: Engine,
    name: &'static str,
    length_ms: i64,
    until: Timestamp,
}

impl Turn {
    /// Takes the turn; `None` while another node has it.
    pub async fn take(
        engine: &Engine,
        name: &'static str,
        length_ms: i64,
    ) -> Result<Option<Self>, StoreError> {
        let mut turn = Self { engine: engine.clone(), name, length_ms, until: Timestamp::from_millis(0) };
        Ok(turn.claim().await?.then_some(turn))
    }

    /// To be asked before each step: prolongs the turn when half of it is over. False when the work has to be left:
    /// another node took it because this one stood still for too long, or the program is to stop.
    pub async fn goes_on(&mut self) -> Result<bool, StoreError> {
        if self.engine.shutdown.is_cancelled() {
            return Ok(false);
        }
        let left_ms = self.until.millis_since(self.engine.clock.now());
        if left_ms > self.length_ms / 2 { Ok(true) } else { self.claim().await }
    }

    /// Gives the turn back, so that the next node need not wait.
    pub async fn end(self) -> Result<(), StoreError> {
        let (name, me) = (self.name, self.engine.node_id.clone());
        self.engine.store.write(move |tx| leases::release(tx, name, &me)).await
    }

    async fn claim(&mut self) -> Result<bool, StoreError> {
        let (name, me, now) = (self.name, self.engine.node_id.clone(), self.engine.clock.now());
        let until = now.plus_ms(self.length_ms);
        let is_ours = self.engine.store.write(move |tx| leases::claim(tx, name, &me, until, now)).await?;
        if is_ours {
            self.until = until;
        }
        Ok(is_ours)
    }
}
