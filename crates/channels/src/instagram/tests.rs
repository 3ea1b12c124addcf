//! Every body becomes the events of its snapshot.

use crate::meta::fixtures::fixture_tests;

fixture_tests! {
    "instagram", "instagram",
    a_text_pictures_and_a_heart: "01_text_and_media",
    a_story_reply_and_a_mention: "02_story_reply_and_mention",
    shared_posts_and_reels: "03_share_post_reel",
    an_unsent_and_an_unsupported_message: "04_unsend_and_unsupported",
    an_echo_and_edits: "05_echo_reply_edit",
    seen_reaction_postback_and_referral: "06_seen_reaction_postback_referral",
    the_dashboards_test_button: "07_dashboard_test_changes_form",
    an_edit_numbered_zero_is_a_new_message: "08_edit_numbered_zero_with_text",
    comments_and_mentions_are_ignored: "09_comments_and_mentions",
    a_disappearing_picture_voice_and_a_quick_reply: "10_disappearing_picture_voice_and_quick_reply",
    what_the_account_did: "11_what_the_account_did",
}
