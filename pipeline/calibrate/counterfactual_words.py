"""Words for `counterfactuals.py`: names, gendered pairs, fillers, spellings and dialect words. Data only."""

from __future__ import annotations

__all__ = [
    "AMERICAN",
    "DIALECTS",
    "FILLERS",
    "GENDERED",
    "INVENTED_NAMES",
    "NO_NAMES",
    "ONE_WAY",
    "PEOPLE",
    "SET_OFF_FILLERS",
    "SPOKEN_FILLERS",
]

PEOPLE = (
    "Aaliyah Washington", "Amara Okafor", "Andrzej Kowalczyk", "Anh Nguyen", "Beatriz Carvalho", "Chloe Harrington",
    "Chinedu Eze", "Dwayne Jefferson", "Fatima Zahra", "Giulia Ferraro", "Hiroshi Tanaka", "Ingrid Solberg",
    "Jamal Rahman", "Katarzyna Nowak", "Lakshmi Iyer", "Lars Lindqvist", "Mei Chen", "Mehmet Demir", "Ngozi Balogun",
    "Oisin Gallagher", "Olga Petrova", "Pierre Fontaine", "Rajesh Patel", "Ruth Goldstein", "Salma Haddad",
    "Santiago Herrera", "Siobhan Kelleher", "Thandiwe Mokoena", "Wei Zhang", "Yuki Sato",
)  # fmt: skip
"""First name and surname, of many origins and genders."""

INVENTED_NAMES = (
    "Aldermoor", "Bexcombe", "Calvado", "Dorvik", "Elmbrace", "Fennimore", "Grantwell", "Hollisk", "Inverleith",
    "Jarrowby", "Kestano", "Lindhurst", "Mardale", "Norwyn", "Oakendale", "Prestovar", "Quillmark", "Rendova",
    "Selbrook", "Tarnwick", "Ulverby", "Vestergard", "Wexholm", "Yarrowden", "Zelnik",
)  # fmt: skip

NO_NAMES = frozenset({
    "i", "i'm", "i'll", "i'd", "i've", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december", "christmas", "easter",
    "english", "british", "american", "german", "french", "spanish", "polish", "dutch", "irish", "welsh", "scottish",
    "danish", "chinese", "mr", "mrs", "ms", "dr", "miss", "god", "ok", "okay", "excel", "word", "outlook", "teams",
})  # fmt: skip
"""Capitalised words that name no company, place or product to be swapped."""

GENDERED = {
    "he": "she", "himself": "herself", "he's": "she's", "he'll": "she'll", "he'd": "she'd", "man": "woman",
    "men": "women", "guy": "gal", "lad": "lass", "lads": "lasses", "boy": "girl", "boys": "girls",
    "mr": "mrs", "sir": "madam", "gentleman": "lady", "gentlemen": "ladies", "husband": "wife", "dad": "mum",
    "father": "mother", "son": "daughter", "brother": "sister", "uncle": "aunt", "bloke": "lady",
    "grandfather": "grandmother", "chairman": "chairwoman", "salesman": "saleswoman", "foreman": "forewoman",
}  # fmt: skip
"""Male word -> female word; his, him and her are told apart in the code."""

FILLERS = ("um", "er", "uh", "you know", "I mean", "like", "sort of")
SPOKEN_FILLERS = ("um+", "uh+", "er+m?", "hm+")
SET_OFF_FILLERS = ("you know", "I mean", "sort of", "kind of", "like")
"""What is put in, and patterns of what is taken out: the first kind anywhere, the second only between commas."""

AMERICAN = {
    "colour": "color", "colours": "colors", "favour": "favor", "favourite": "favorite", "honour": "honor",
    "labour": "labor", "neighbour": "neighbor", "neighbours": "neighbors", "behaviour": "behavior", "rumour": "rumor",
    "harbour": "harbor", "organise": "organize", "organised": "organized", "organisation": "organization",
    "realise": "realize", "realised": "realized", "recognise": "recognize", "recognised": "recognized",
    "prioritise": "prioritize", "summarise": "summarize", "summarised": "summarized", "optimise": "optimize",
    "standardise": "standardize", "apologise": "apologize", "analyse": "analyze", "analysed": "analyzed",
    "specialise": "specialize", "centre": "center", "centres": "centers", "metre": "meter", "metres": "meters",
    "litre": "liter", "litres": "liters", "theatre": "theater", "fibre": "fiber", "cancelled": "canceled",
    "cancelling": "canceling", "travelled": "traveled", "travelling": "traveling", "labelled": "labeled",
    "labelling": "labeling", "modelling": "modeling", "programme": "program", "programmes": "programs",
    "catalogue": "catalog", "dialogue": "dialog", "cheque": "check", "grey": "gray", "tyre": "tire", "tyres": "tires",
    "kerb": "curb", "plough": "plow", "mould": "mold", "aluminium": "aluminum", "licence": "license",
    "defence": "defense", "offence": "offense", "fulfil": "fulfill", "enrol": "enroll", "jewellery": "jewelry",
    "lorry": "truck", "lorries": "trucks", "petrol": "gas", "queue": "line", "holiday":
    "vacation", "post code": "zip code", "postcode": "zip code", "car park": "parking lot", "diary": "calendar",
    "rubbish": "trash", "warehouseman": "warehouse worker", "autumn": "fall", "mum": "mom", "maths": "math",
    "whilst": "while", "learnt": "learned", "spelt": "spelled",
}  # fmt: skip
"""British form -> American form."""
ONE_WAY = frozenset({
    "check", "tire", "tires", "line", "gas", "fall", "while", "meter", "meters", "program", "programs", "license",
    "curb", "mold", "learned", "offense", "defense", "truck", "trucks",
})  # fmt: skip
"""American forms that mean something else as well, and so are not turned into British ones."""

DIALECTS: dict[str, dict[str, str]] = {
    "Scots": {
        "yes": "aye", "yeah": "aye", "little": "wee", "small": "wee", "no,": "naw,", "know": "ken", "isn't": "isnae",
        "don't": "dinnae", "can't": "cannae", "won't": "willnae", "didn't": "didnae", "girl": "lassie", "from": "fae",
    },
    "northern English": {
        "yes": "aye", "yeah": "aye", "nothing": "nowt", "something": "summat", "anything": "owt", "thanks": "ta",
        "my": "me", "isn't it": "innit", "okay": "righto", "very": "right", "good": "champion", "mate": "pal",
    },
    "Irish": {
        "yes": "yeah, sure", "okay": "grand", "good": "grand", "very": "fierce", "you all": "yous", "little": "small",
        "thanks": "thanks a million", "fun": "craic",
    },
    "American South": {
        "you all": "y'all", "everybody": "y'all", "isn't": "ain't", "going to": "fixin' to", "yes": "yes ma'am",
        "over there": "over yonder", "okay": "alright then", "think": "reckon", "about to": "fixin' to",
    },
    "Indian English": {
        "okay": "okay okay", "today": "today itself", "now": "now only", "yes": "yes yes", "do it soon": "prepone it",
        "tell me": "kindly tell me", "please": "kindly", "isn't it": "no", "right?": "correct?",
    },
    "casual": {
        "going to": "gonna", "want to": "wanna", "got to": "gotta", "give me": "gimme", "let me": "lemme",
        "kind of": "kinda", "sort of": "sorta", "because": "'cause", "isn't it": "innit", "yes": "yep", "no,": "nope,",
        "don't know": "dunno", "out of": "outta",
    },
}  # fmt: skip
"""Dialect -> the standard's word or phrase -> its own."""
