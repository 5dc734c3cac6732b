"""What Whisper is known to write where nobody speaks: it learnt from subtitles. Plain letters, without spaces.

From "Investigation of Whisper ASR Hallucinations Induced by Non-Speech Audio" (Barański and others, 2025,
arXiv:2501.11378) and from reports to the projects that use Whisper. Guards read these; they never drop a phrase that is
clearly spoken.
"""

from __future__ import annotations


def _phrases(text: str) -> frozenset[str]:
    """A phrase a line; spaces go, because engines write some languages without."""
    return frozenset("".join(line.split()) for line in text.strip().splitlines())


CREDITS = _phrases("""
thanks for watching
thank you for watching
thank you so much for watching
thank you very much for watching
thanks for watching and ill see you
thanks for listening
please subscribe
please like and subscribe
like and subscribe
dont forget to subscribe
dont forget to like and subscribe
please subscribe to my channel
subscribe to my channel
see you in the next video
ill see you in the next video
well see you in the next video
subtitles by
subtitles by the amaraorg community
subtitles made by
captions by
captioning by
captioned by
closed captioning by
transcription by
transcribed by
translated by
untertitel im auftrag des zdf
untertitel im auftrag des zdf für funk
untertitel der amaraorgcommunity
untertitel von
untertitel des zdf
untertitelung des zdf
untertitelung aufgrund der amaraorgcommunity
vielen dank fürs zuschauen
danke fürs zuschauen
bis zum nächsten mal
soustitres réalisés par
soustitres réalisés para la communauté damaraorg
soustitres par
soustitrage
soustitrage société radiocanada
merci davoir regardé
merci davoir regardé cette vidéo
nhésitez pas à vous abonner
subtítulos realizados por
subtítulos por
subtítulos realizados por la comunidad de amaraorg
gracias por ver el video
gracias por ver
no olvides suscribirte
sottotitoli creati dalla comunità amaraorg
sottotitoli e revisione a cura di
grazie per aver guardato
grazie per la visione
legendas pela comunidade amaraorg
obrigado por assistir
ondertitels ingediend door de amaraorg gemeenschap
ondertiteling
bedankt voor het kijken
napisy stworzone przez społeczność amaraorg
dziękuję za uwagę
субтитры сделал
субтитры создавал
редактор субтитров
продолжение следует
ご視聴ありがとうございました
字幕by索兰娅
""")
"""Credits of subtitles and greetings to viewers. On a sales call hardly anybody says them; some do ("thanks for
watching", after a demo)."""

COURTESIES = _phrases("""
thank you
thank you very much
thank you so much
thanks
you
bye
byebye
bye bye
okay
oh
so
danke
vielen dank
tschüss
merci
au revoir
gracias
grazie
obrigado
dank je wel
dziękuję
спасибо
""")
"""What people say on every call, and Whisper also in a cough: only where very little speaks for it."""
