//! Groups.

use reqwest::multipart::Form;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{contacts::done, sending::Upload};
use crate::{
    ChatId, GreenClient, client::read, error::GreenCallError, method, method::Method, webhook::lenient,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateGroup<'a> {
    group_name: &'a str,
    chat_ids: &'a [ChatId],
}

/// A new group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedGroup {
    /// It exists.
    pub created: bool,
    /// Its chat.
    pub chat_id: ChatId,
    /// Lets people in.
    #[serde(default)]
    pub group_invite_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    group_id: &'a ChatId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rename<'a> {
    group_id: &'a ChatId,
    group_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    group_id: &'a ChatId,
    participant_chat_id: &'a ChatId,
}

/// What is known of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupData {
    /// Its chat.
    #[serde(deserialize_with = "lenient::scalar")]
    pub group_id: Option<String>,
    /// Who made it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub owner: Option<String>,
    /// Its name.
    #[serde(deserialize_with = "lenient::scalar")]
    pub subject: Option<String>,
    /// When it was made, in seconds since 1970.
    #[serde(deserialize_with = "lenient::scalar")]
    pub creation: Option<i64>,
    /// Who is in it.
    #[serde(deserialize_with = "lenient::list")]
    pub participants: Vec<GroupMember>,
    /// When it was named, in seconds since 1970.
    #[serde(deserialize_with = "lenient::scalar")]
    pub subject_time: Option<i64>,
    /// Who named it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub subject_owner: Option<String>,
    /// Lets people in; only for its admins.
    #[serde(deserialize_with = "lenient::scalar")]
    pub group_invite_link: Option<String>,
}

/// Somebody in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupMember {
    /// Who.
    #[serde(deserialize_with = "lenient::scalar")]
    pub id: Option<String>,
    /// May change it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_admin: Option<bool>,
    /// Made it.
    #[serde(deserialize_with = "lenient::scalar")]
    pub is_super_admin: Option<bool>,
}

/// A picture that was set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetPicture {
    /// Its address.
    #[serde(deserialize_with = "lenient::scalar")]
    pub url_avatar: Option<String>,
    /// Why it was not set.
    #[serde(deserialize_with = "lenient::scalar")]
    pub reason: Option<String>,
}

impl GreenClient {
    /// Makes a group of these people.
    pub async fn create_group(&self, name: &str, members: &[ChatId]) -> Result<CreatedGroup, GreenCallError> {
        let group = CreateGroup { group_name: name, chat_ids: members };
        self.call(&method::CREATE_GROUP, Some(&group)).await
    }

    /// Gives a group another name.
    pub async fn update_group_name(&self, group_id: &ChatId, name: &str) -> Result<(), GreenCallError> {
        let rename = Rename { group_id, group_name: name };
        done(self.call(&method::UPDATE_GROUP_NAME, Some(&rename)).await?, "updateGroupName")
    }

    /// What is known of a group.
    pub async fn get_group_data(&self, group_id: &ChatId) -> Result<GroupData, GreenCallError> {
        self.call(&method::GET_GROUP_DATA, Some(&Group { group_id })).await
    }

    /// Adds somebody.
    pub async fn add_group_participant(&self, group: &ChatId, who: &ChatId) -> Result<(), GreenCallError> {
        self.member(&method::ADD_GROUP_PARTICIPANT, group, who, "addParticipant").await
    }

    /// Takes somebody out.
    pub async fn remove_group_participant(&self, group: &ChatId, who: &ChatId) -> Result<(), GreenCallError> {
        self.member(&method::REMOVE_GROUP_PARTICIPANT, group, who, "removeParticipant").await
    }

    /// Lets somebody change the group.
    pub async fn set_group_admin(&self, group: &ChatId, who: &ChatId) -> Result<(), GreenCallError> {
        self.member(&method::SET_GROUP_ADMIN, group, who, "setGroupAdmin").await
    }

    /// No longer lets somebody change the group.
    pub async fn remove_admin(&self, group: &ChatId, who: &ChatId) -> Result<(), GreenCallError> {
        self.member(&method::REMOVE_ADMIN, group, who, "removeAdmin").await
    }

    async fn member(
        &self,
        method: &Method,
        group_id: &ChatId,
        participant_chat_id: &ChatId,
        what: &'static str,
    ) -> Result<(), GreenCallError> {
        done(self.call(method, Some(&Member { group_id, participant_chat_id })).await?, what)
    }

    /// Sets a group's picture, a jpeg.
    pub async fn set_group_picture(
        &self,
        group: &ChatId,
        jpeg: &Upload,
    ) -> Result<SetPicture, GreenCallError> {
        self.picture(&method::SET_GROUP_PICTURE, jpeg, |form| form.text("groupId", group.to_string())).await
    }

    /// Sets the instance's own picture, a jpeg.
    pub async fn set_profile_picture(&self, jpeg: &Upload) -> Result<SetPicture, GreenCallError> {
        self.picture(&method::SET_PROFILE_PICTURE, jpeg, |form| form).await
    }

    async fn picture(
        &self,
        method: &Method,
        jpeg: &Upload,
        fill: impl Fn(Form) -> Form,
    ) -> Result<SetPicture, GreenCallError> {
        jpeg.part()?;
        let form = || match jpeg.part() {
            Ok(part) => fill(Form::new().part("file", part)),
            Err(_) => Form::new(),
        };
        read(&self.call_with(method, None, |request| request.multipart(form())).await?)
    }

    /// Leaves a group.
    pub async fn leave_group(&self, group_id: &ChatId) -> Result<(), GreenCallError> {
        let answer: Value = self.call(&method::LEAVE_GROUP, Some(&Group { group_id })).await?;
        // The vendor's own pages call the field `leaveGroup` and `removeGroup`.
        done(answer.clone(), "leaveGroup").or_else(|_| done(answer, "removeGroup"))
    }
}
