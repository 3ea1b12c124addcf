/** The nouns of the API under short names; the only place that reads the contract's schemas. */
import type { components, operations } from './schema'

type Schemas = components['schemas']

export type Ability = Schemas['Ability']
export type Attachment = Schemas['Attachment']
export type AttachmentKind = Schemas['MediaKind']
export type AuditEntry = Schemas['AuditEntry']
export type Capabilities = Schemas['Capabilities']
/** What `platform` may be asked for; a channel of a newer server may have another. */
export type Platform = NonNullable<
  NonNullable<operations['list_conversations']['parameters']['query']>['platform']
>
export type Channel = Schemas['Channel']
export type ChannelField = Schemas['ChannelField']
export type Contact = Schemas['Contact']
export type Conversation = Schemas['Conversation']
/** One that was opened: it says what may be sent. */
export type OpenConversation = Schemas['OpenConversation']
export type ConversationStatus = Schemas['ConversationStatus']
export type CreateInbox = Schemas['CreateInbox']
export type Customer = Schemas['Customer']
export type Delivery = Schemas['Delivery']
export type EventRow = Schemas['Event']
export type Inbox = Schemas['Inbox']
export type InboxState = Schemas['InboxState']
export type Link = Schemas['Link']
export type Me = Schemas['Me']
export type Media = Schemas['Attachment']
export type Message = Schemas['Message']
export type MessageKind = Schemas['MessageKind']
export type MessageStatus = Schemas['MessageStatus']
export type Payload = Schemas['Payload']
export type Person = Schemas['UserFace']
export type RealtimeSettings = Schemas['RealtimeSettings']
export type Reply = Schemas['Reply']
export type ReplyWindow = Schemas['ReplyWindow']
/** A reply in one of its forms: with text, files, or the part of its kind. */
export type SendMessage = Schemas['SendMessage']
export type Role = Schemas['Role']
export type Token = Schemas['Token']
export type User = Schemas['User']
export type WebhookLog = Schemas['WebhookLog']
export type ErrorBody = Schemas['Error']
