"""`tympan probe`: a live check of a streaming service. Shells talk and record; pure modules judge the record.

    address.py      what the user named → where to connect               PURE
    reach.py        TCP, TLS and HTTP health                             shell
    line.py         one WebSocket connection, recorded                   shell
    record.py       what was said and heard, and when                    PURE
    scenes.py       the conversations that are held; v2_scenes.py        shell
    speech.py       the recording that is played                         shell
    shapes.py       fields of the messages                               PURE
    v3_*.py         records → findings, one function a check;            PURE
                    v2_judging.py
    latency.py      records → delays                                     PURE
    word_errors.py  texts → word error rate                              PURE
    findings.py     verdicts and the report                              PURE
    run.py          which checks run, in which order                     shell

Messages are judged as they stand on the wire, not decoded: a lenient reader would accept what other clients trip
over. That is why connections are opened here and not by `client`.
"""
