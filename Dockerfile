# Two images: `node` is one machine of a scale model, `lab` is the observer that judges what the machines recorded.
# Both begin from any image with Python 3.11 to 3.14 and its venv module; docs/compose.md says how to make one.
ARG BASE_IMAGE=python:3.13-slim

# Whatever only an installation needs stays in the two build stages.
FROM ${BASE_IMAGE} AS build-node
LABEL scale-model=build
COPY docker/pip /pip
ENV PIP_CONFIG_FILE=/pip/pip.conf PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /installer && python3 -m venv --without-pip /venv
COPY requirements/core.txt /requirements/
RUN /installer/bin/pip --python /venv/bin/python install \
    --require-hashes --only-binary :all: --no-deps -r /requirements/core.txt
# A named volume takes the owner of the directory that it covers.
RUN mkdir /logs && chown 10001:10001 /logs
COPY docker/healthcheck.py /app/docker/
COPY node /app/node
# Readable for the image's user, whatever the checkout's modes are; compiled, because it cannot be later.
RUN chmod -R a+rX /app && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${BASE_IMAGE} AS node
LABEL scale-model=node
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 SCALE_MODEL_LOG_DIR=/logs SCALE_MODEL_EPOCH_FILE=/logs/epoch
COPY --from=build-node --chown=10001:10001 /logs /logs
COPY --from=build-node /venv /venv
COPY --from=build-node /app /app
WORKDIR /app
USER 10001:10001
HEALTHCHECK --interval=3s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-IS", "/app/docker/healthcheck.py"]
ENTRYPOINT ["python", "-m", "node"]

FROM build-node AS build-lab
COPY requirements/lab.txt /requirements/
RUN /installer/bin/pip --python /venv/bin/python install \
    --require-hashes --only-binary :all: --no-deps -r /requirements/lab.txt
COPY docker/check.py /app/docker/
COPY orchestrator /app/orchestrator
RUN chmod -R a+rX /app && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${BASE_IMAGE} AS lab
LABEL scale-model=lab
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
COPY --from=build-lab --chown=10001:10001 /logs /logs
COPY --from=build-lab /venv /venv
COPY --from=build-lab /app /app
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "orchestrator"]
