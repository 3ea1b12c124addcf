//! This linked device itself: its keys and whose it is.

use async_trait::async_trait;
use whatsapp_rust::traits::DeviceStore;
use whatsapp_rust::wacore::stats::StorageResourceReport;
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::wacore::store::error::Result;

use super::KeyStore;

const DEVICE: &str = "device";
/// A session has one device.
const ONLY: &str = "this";

#[async_trait]
impl DeviceStore for KeyStore {
    async fn save(&self, device: &Device) -> Result<()> {
        self.put_record(DEVICE, ONLY, device).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        self.record(DEVICE, ONLY).await
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.bytes(DEVICE, ONLY).await?.is_some())
    }

    async fn create(&self) -> Result<i32> {
        let _turn = self.turn.lock().await;
        if !self.exists().await? {
            self.save(&Device::new()).await?;
        }
        Ok(1)
    }

    /// The rows are in the database, not here.
    async fn resource_report(&self) -> StorageResourceReport {
        StorageResourceReport { memory_bytes: Some(0), ..StorageResourceReport::default() }
    }
}
