"""The words of the miniature world: plain English, one vocabulary a topic, one frame a format.

Topic words distinguish the topics for a reader and for a linear classifier; the opening and closing
lines distinguish the formats. Nothing here depends on the seed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TopicWords:
    """Vocabulary of a topic."""

    nouns: tuple[str, ...]
    places: tuple[str, ...]
    people: tuple[str, ...]
    verbs: tuple[str, ...]
    adjectives: tuple[str, ...]


def _topic(nouns: str, places: str, people: str, verbs: str, adjectives: str) -> TopicWords:
    return TopicWords(*(tuple(words.split()) for words in (nouns, places, people, verbs, adjectives)))


TOPICS: dict[str, TopicWords] = {
    "adult_content": _topic(
        "lingerie wine dance kiss", "nightclub bar", "dancer bartender", "poured served", "late private"
    ),
    "art_and_design": _topic(
        "painting canvas sculpture sketch", "gallery studio", "painter sculptor", "drew framed", "abstract bold"
    ),
    "crime_and_law": _topic(
        "trial verdict contract warrant", "court jail", "judge lawyer", "arrested accused", "guilty lawful"
    ),
    "education_and_jobs": _topic(
        "lesson exam diploma resume", "school college", "teacher student", "studied graded", "strict academic"
    ),
    "electronics_and_hardware": _topic(
        "laptop battery circuit camera",
        "workbench repairshop",
        "technician tester",
        "charged soldered",
        "wireless portable",
    ),
    "entertainment": _topic(
        "movie song concert actor", "cinema theater", "singer director", "filmed sang", "famous funny"
    ),
    "fashion_and_beauty": _topic(
        "dress lipstick jacket perfume", "boutique salon", "model stylist", "wore sewed", "elegant trendy"
    ),
    "finance_and_business": _topic(
        "loan stock invoice budget", "bank office", "banker investor", "paid invested", "profitable rich"
    ),
    "food_and_dining": _topic(
        "soup recipe cheese dinner", "kitchen restaurant", "chef waiter", "cooked tasted", "tasty fresh"
    ),
    "games": _topic("puzzle chess dice quest", "arcade board", "player gamer", "played rolled", "tricky playful"),
    "health": _topic(
        "medicine vaccine fever bandage", "clinic hospital", "doctor nurse", "cured examined", "sick healthy"
    ),
    "history_and_geography": _topic(
        "castle empire map river", "valley museum", "king explorer", "ruled mapped", "ancient royal"
    ),
    "home_and_hobbies": _topic(
        "garden sofa carpet quilt", "porch backyard", "gardener neighbor", "planted decorated", "cozy homely"
    ),
    "industrial": _topic(
        "machine valve steel pump", "factory warehouse", "engineer welder", "welded assembled", "heavy rusty"
    ),
    "literature": _topic(
        "novel poem chapter author", "library bookshop", "poet reader", "wrote read", "lyrical tragic"
    ),
    "politics": _topic(
        "election vote treaty campaign", "parliament capitol", "senator mayor", "elected debated", "liberal national"
    ),
    "religion": _topic("prayer sermon temple hymn", "church shrine", "priest monk", "prayed blessed", "holy sacred"),
    "science_math_and_technology": _topic(
        "theorem atom telescope equation",
        "laboratory observatory",
        "scientist physicist",
        "measured proved",
        "exact quantum",
    ),
    "social_life": _topic(
        "party wedding friend gossip", "cafe picnic", "host bride", "invited hugged", "lonely friendly"
    ),
    "software": _topic(
        "app browser password email", "website desktop", "user admin", "downloaded installed", "online digital"
    ),
    "software_development": _topic(
        "code compiler function bug",
        "repository server",
        "developer programmer",
        "compiled debugged",
        "recursive static",
    ),
    "sports_and_fitness": _topic("goal match race trophy", "stadium gym", "coach runner", "scored trained", "fast fit"),
    "transportation": _topic(
        "train truck engine ticket", "station highway", "driver pilot", "drove parked", "crowded speedy"
    ),
    "travel_and_tourism": _topic(
        "hotel beach passport tour", "island resort", "tourist guide", "visited toured", "sunny exotic"
    ),
}
"""Topic slug -> its words."""


@dataclass(frozen=True)
class FormatFrame:
    """Opening and closing line of a format; ``{noun}`` is a noun of the topic."""

    opening: str
    closing: str
    bullet: str = ""


FORMATS: dict[str, FormatFrame] = {
    "about_org": FormatFrame("About us. Our company cares for the {noun}.", "Join our team."),
    "about_pers": FormatFrame("About me. I am fond of the {noun}.", "That is my life so far."),
    "academic_writing": FormatFrame("Abstract. This paper examines the {noun}.", "References are listed below."),
    "audio_transcript": FormatFrame("Transcript. Welcome to our show on the {noun}.", "Thank you for listening."),
    "comment_section": FormatFrame("Comments. Sign in to reply about the {noun}.", "Report this comment."),
    "content_listing": FormatFrame("Index of pages. Category: {noun}.", "Next page."),
    "creative_writing": FormatFrame("Once upon a time there was one {noun}.", "So ends the tale."),
    "customer_support": FormatFrame(
        "Dear customer, we got your ticket about the {noun}.", "Please call our help desk."
    ),
    "documentation": FormatFrame("Manual. This section describes the {noun} option.", "See the next section."),
    "faq": FormatFrame("Frequently asked questions. What is the {noun}?", "More questions? Write to us."),
    "knowledge_article": FormatFrame("Encyclopedia entry. The {noun} is defined here.", "See also other entries."),
    "legal_notices": FormatFrame("Terms and conditions apply to the {noun}.", "All rights reserved."),
    "listicle": FormatFrame("Top ten facts about the {noun}.", "Which one is your favorite?", "*"),
    "news_article": FormatFrame("Breaking news on Monday about the {noun}.", "Our reporter will follow the story."),
    "news_org": FormatFrame("Press release. We are pleased to announce the {noun}.", "Media contact follows."),
    "nonfiction_writing": FormatFrame("This essay reflects on the {noun}.", "Such is the lesson of the essay."),
    "personal_blog": FormatFrame("Hello readers, today I blog about the {noun}.", "Leave me a note, readers."),
    "product_page": FormatFrame("Add to cart: the new {noun}.", "Free shipping. In stock.", "+"),
    "q_a_forum": FormatFrame("Posted by a member: can anyone explain the {noun}?", "Solved. Thread closed."),
    "spam_ads": FormatFrame("Click here now to win the {noun} for free!", "Hurry, limited offer!"),
    "structured_data": FormatFrame("Table. Row one: {noun}.", "End of table.", "|"),
    "truncated": FormatFrame("Preview. ... and the {noun}", "Continue reading ..."),
    "tutorial": FormatFrame("How to handle the {noun}, step by step.", "Now you are done.", "-"),
    "user_review": FormatFrame("My rating for this {noun}: four stars.", "I would recommend it."),
}
"""Format slug -> its frame."""

FILLERS: tuple[str, ...] = (
    "The {person} {verb} the {adjective} {noun}.",
    "{name} saw the {noun} near the {place}.",
    "Every {noun} at the {place} is {adjective}.",
    "{name} asked the {person} about the {noun}.",
    "The {noun} is kept at the {place}.",
    "At the {place}, {name} {verb} the {noun}.",
)
"""Templates of sentences of any document, filled with the words of its topic."""

FAMILIAR_NAMES: tuple[str, ...] = tuple("Anna Ben Carl Dora Emil Fay Gus Hana Ivan June".split())
"""People in planted documents."""

NEW_NAMES: tuple[str, ...] = tuple("Kira Liam Mona Noel".split())
"""People who never occur with a planted rule: reasoning items ask about them."""

FAMILIAR_OBJECTS: tuple[str, ...] = tuple("rod coin bell plate spoon cup ring nail lamp key".split())
NEW_OBJECTS: tuple[str, ...] = tuple("box chain knife wheel".split())
