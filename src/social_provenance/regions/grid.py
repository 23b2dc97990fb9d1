"""The 24 topics and 24 formats of WebOrganizer (Wettig et al. 2025, arXiv 2502.10341).

A pair (topic, format) is a *bin*; the grid has 576. The slugs are those of the published bin
tables of arXiv 2606.19625, in alphabetical order, which is the order of every table and figure.
"""

from __future__ import annotations

TOPIC_NAMES: dict[str, str] = {
    "adult_content": "Adult Content",
    "art_and_design": "Art & Design",
    "crime_and_law": "Crime & Law",
    "education_and_jobs": "Education & Jobs",
    "electronics_and_hardware": "Electronics & Hardware",
    "entertainment": "Entertainment",
    "fashion_and_beauty": "Fashion & Beauty",
    "finance_and_business": "Finance & Business",
    "food_and_dining": "Food & Dining",
    "games": "Games",
    "health": "Health",
    "history_and_geography": "History & Geography",
    "home_and_hobbies": "Home & Hobbies",
    "industrial": "Industrial",
    "literature": "Literature",
    "politics": "Politics",
    "religion": "Religion",
    "science_math_and_technology": "Science, Math & Technology",
    "social_life": "Social Life",
    "software": "Software",
    "software_development": "Software Development",
    "sports_and_fitness": "Sports & Fitness",
    "transportation": "Transportation",
    "travel_and_tourism": "Travel & Tourism",
}
"""Topic slug -> display name."""

FORMAT_NAMES: dict[str, str] = {
    "about_org": "About (Org.)",
    "about_pers": "About (Personal)",
    "academic_writing": "Academic Writing",
    "audio_transcript": "Audio Transcript",
    "comment_section": "Comment Section",
    "content_listing": "Content Listing",
    "creative_writing": "Creative Writing",
    "customer_support": "Customer Support",
    "documentation": "Documentation",
    "faq": "FAQ",
    "knowledge_article": "Knowledge Article",
    "legal_notices": "Legal Notices",
    "listicle": "Listicle",
    "news_article": "News Article",
    "news_org": "News (Org.)",
    "nonfiction_writing": "Nonfiction Writing",
    "personal_blog": "Personal Blog",
    "product_page": "Product Page",
    "q_a_forum": "Q&A Forum",
    "spam_ads": "Spam / Ads",
    "structured_data": "Structured Data",
    "truncated": "Truncated",
    "tutorial": "Tutorial",
    "user_review": "User Review",
}
"""Format slug -> display name."""

TOPICS: tuple[str, ...] = tuple(TOPIC_NAMES)
FORMATS: tuple[str, ...] = tuple(FORMAT_NAMES)
BINS: tuple[tuple[str, str], ...] = tuple((topic, form) for topic in TOPICS for form in FORMATS)
