"""Sequences as other programs' APIs give them, from their documented fields; each names the page."""

from __future__ import annotations

from typing import Any

# https://developer.lemlist.com/api-reference/endpoints/sequences/get-campaign-sequences: the answer is sequences
# by id, an e-mail has no type there and delays are days. Types of steps: …/sequences/update-sequence-step.
LEMLIST: dict[str, Any] = {
    "seq_main": {
        "_id": "seq_main",
        "steps": [
            {"_id": "stp_1", "type": "linkedinVisit", "delay": 0, "index": 1, "sequenceStep": 0},
            {
                "_id": "stp_2",
                "type": "linkedinInvite",
                "delay": 1,
                "index": 2,
                "sequenceStep": 1,
                "message": "Hi {{firstName}}, I build teams in {{city}}. May I connect?",
            },
            {
                "_id": "stp_3",
                "delay": 2,
                "index": 3,
                "sequenceStep": 2,
                "emailTemplateId": "etp_1",
                "subject": "{{firstName}}, a question about {{companyName}}",
                "message": '<p style="margin: 0px">Hey {{firstName}},<br><br></p>\n'
                '<p>Your work at <strong>{{companyName}}</strong> is close to <a href="https://jobs.example/42">a '
                "role</a> I fill.</p><p>Shall I send two lines about it?</p><p>{{senderFirstName}}</p>",
            },
            {
                "_id": "stp_4",
                "type": "email",
                "delay": 3,
                "index": 4,
                "sequenceStep": 3,
                "subject": "",
                "message": "<p>{Hi|Hello} {{firstName}}, did my e-mail reach you?</p><p>{{signature}}</p>",
            },
            {"_id": "stp_5", "type": "phone", "delay": 2, "index": 5, "message": "Call about the role."},
            {
                "_id": "stp_6",
                "type": "conditional",
                "conditionKey": "linkedinInviteAccepted",
                "delay": 1,
                "index": 6,
            },
        ],
    },
    "seq_yes": {
        "_id": "seq_yes",
        "parentId": "seq_main",
        "steps": [{"_id": "stp_7", "type": "linkedinSend", "message": "Thanks for connecting!", "delay": 0}],
    },
}

# https://developer.instantly.ai/api/v2/campaign: a list answer has items; a step's delay is the wait after it
# (https://github.com/sonichi/sutando/issues/4406).
INSTANTLY: dict[str, Any] = {
    "items": [
        {
            "id": "0191",
            "name": "Founders in Lyon",
            "status": 1,
            "sequences": [
                {
                    "steps": [
                        {
                            "type": "email",
                            "delay": 3,
                            "delay_unit": "days",
                            "variants": [
                                {
                                    "subject": "Question for {{companyName}}",
                                    "body": "<div>{{RANDOM | Hi | Hello}} {{firstName}},</div><div><br /></div>"
                                    "<div>a question about {{companyName}}.</div>",
                                },
                                {"subject": "Second version", "body": "<div>Hi there,</div>"},
                                {"subject": "Off", "body": "<div>Off</div>", "v_disabled": True},
                            ],
                        },
                        {
                            "type": "email",
                            "delay": 36,
                            "delay_unit": "hours",
                            "variants": [{"subject": "", "body": "<div>Any thoughts?</div>"}],
                        },
                        {
                            "type": "email",
                            "delay": 0,
                            "variants": [{"subject": "Another matter", "body": "Bye {{firstName|there}}"}],
                        },
                    ]
                }
            ],
        }
    ]
}

# https://api.smartlead.ai/reference/fetch-campaign-sequence-by-campaign-id: e-mails by seq_number; delayInDays is
# what the answer has and delay_in_days what saving takes.
SMARTLEAD: list[dict[str, Any]] = [
    {
        "id": 9,
        "seq_number": 2,
        "seq_delay_details": {"delayInDays": 4},
        "subject": "",
        "email_body": "<div>{{first_name}}, one more try.</div><div>%signature%</div>",
        "sequence_variants": None,
    },
    {
        "id": 8,
        "seq_number": 1,
        "seq_delay_details": {"delay_in_days": 1},
        "subject": "Own",
        "email_body": "<p>own</p>",
        "seq_variants": [
            {
                "variant_label": "A",
                "subject": "{{company_name}}?",
                "email_body": "<p>Hi {{first_name}},</p><p>A.</p>",
            },
            {"variant_label": "B", "subject": "B?", "email_body": "<p>Hi {{first_name}},</p><p>B.</p>"},
        ],
    },
]

# https://developers.outreach.io/api/reference/tag/Sequence-Step, …/Sequence-Template, …/Template: JSON:API; the
# interval is seconds before the step.
OUTREACH: dict[str, Any] = {
    "data": {"type": "sequence", "id": 1, "attributes": {"name": "Partners", "sequenceType": "interval"}},
    "included": [
        {
            "type": "sequenceStep",
            "id": 12,
            "attributes": {
                "order": 2,
                "stepType": "call",
                "interval": 86_400,
                "taskNote": "Ask for the lead.",
            },
            "relationships": {"sequence": {"data": {"type": "sequence", "id": 1}}},
        },
        {
            "type": "sequenceStep",
            "id": 11,
            "attributes": {"order": 1, "stepType": "auto_email", "interval": 0},
            "relationships": {"sequence": {"data": {"type": "sequence", "id": 1}}},
        },
        {
            "type": "sequenceStep",
            "id": 13,
            "attributes": {"order": 3, "stepType": "manual_email", "interval": 5_400},
            "relationships": {"sequence": {"data": {"type": "sequence", "id": 1}}},
        },
        *(
            {
                "type": "sequenceTemplate",
                "id": 20 + number,
                "attributes": {"isReply": number == 3, "enabled": True},
                "relationships": {
                    "sequenceStep": {"data": {"type": "sequenceStep", "id": 10 + number}},
                    "template": {"data": {"type": "template", "id": 30 + number}},
                },
            }
            for number in (1, 3)
        ),
        {
            "type": "template",
            "id": 31,
            "attributes": {
                "name": "Opening",
                "subject": "{{account.name}} and us",
                "bodyHtml": "<p>Hi {{first_name}},</p><ul><li>one</li><li>two</li></ul><p>{{sender.first_name}} "
                "{{sender.last_name}}</p>",
            },
        },
        {
            "type": "template",
            "id": 33,
            "attributes": {"name": "Reminder", "subject": "Re: us", "bodyText": "Hi {{first_name}}, a reminder."},
        },
    ],
}

# https://docs.apollo.io/reference/search-for-sequences names the campaign; its steps, touches and templates are as
# public clients of the API have them, for that page does not show them.
APOLLO: dict[str, Any] = {
    "emailer_campaign": {"id": "c1", "name": "Data leaders", "active": True, "archived": False, "label_ids": []},
    "emailer_steps": [
        {
            "id": "s2",
            "emailer_campaign_id": "c1",
            "position": 2,
            "type": "auto_email",
            "wait_time": 2,
            "wait_mode": "day",
        },
        {
            "id": "s1",
            "emailer_campaign_id": "c1",
            "position": 1,
            "type": "auto_email",
            "wait_time": 30,
            "wait_mode": "minute",
        },
        {
            "id": "s3",
            "emailer_campaign_id": "c1",
            "position": 3,
            "type": "linkedin_step_connect",
            "wait_time": 1,
            "wait_mode": "hour",
            "note": "Hi {{first_name}}, may I connect?",
        },
        {
            "id": "s4",
            "emailer_campaign_id": "c1",
            "position": 4,
            "type": "action_item",
            "wait_mode": "day",
            "note": "Read",
        },
    ],
    "emailer_touches": [
        {
            "id": "t1",
            "emailer_step_id": "s1",
            "emailer_template_id": "m1",
            "type": "new_thread",
            "status": "approved",
        },
        {"id": "t2", "emailer_step_id": "s2", "emailer_template_id": "m2", "type": "reply_to_thread"},
    ],
    "emailer_templates": [
        {
            "id": "m1",
            "subject": "{{company}} and data",
            "body_html": "<p>Hi {{#if first_name}}{{first_name}}{{#else}}there{{#endif}},</p>"
            "<p>{{icebreaker}}</p>",
        },
        {"id": "m2", "subject": "", "body_text": "Any news, {{first_name}}?\n\n{{sender_name}}"},
    ],
}
