//! Every body becomes the events of its snapshot.

use crate::meta::fixtures::fixture_tests;

fixture_tests! {
    "messenger", "messenger",
    a_quick_reply: "01_text_quick_reply",
    several_files_and_a_place: "02_attachments_image_file_location",
    a_sticker_that_comes_twice_and_link_previews: "03_sticker_transition_and_fallback",
    an_answer_and_an_edit: "04_reply_to_and_edit",
    echoes_of_the_page_inbox_and_of_our_app: "05_echo_from_page_inbox_and_own_app",
    a_postback_and_a_referral: "06_postback_with_referral_and_referral_event",
    delivery_read_and_reactions: "07_delivery_read_reaction",
    an_opt_in_and_handovers: "08_optin_and_handover",
    two_pages_standby_and_feed: "09_batch_two_pages_standby_feed",
    postbacks_and_referrals_without_ids: "10_postback_and_referral_without_ids",
    what_the_page_did: "11_what_the_page_did",
    an_unsent_message: "12_unsend",
    unreadable_items_cost_no_others: "13_unreadable_items_in_a_good_batch",
    a_plug_ins_opt_in_and_other_events: "14_opt_in_of_a_plug_in_and_other_events",
    a_sticker_once_and_text_beside_a_picture: "15_sticker_once_and_text_beside_a_picture",
    templates_and_products: "16_templates_and_products",
    a_body_as_relays_write_it: "17_as_relays_write_it",
}
