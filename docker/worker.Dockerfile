# A worker: one supervisor and its engine, one per GPU. torch brings its own CUDA libraries; the base gives the rest.
FROM nvidia/cuda:13.0.2-base-ubuntu24.04 AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
RUN python3 -m venv /opt/addit \
    && /opt/addit/bin/pip install --no-cache-dir -c constraints.txt setuptools wheel torch torchvision \
    && SAM2_BUILD_CUDA=0 /opt/addit/bin/pip install --no-cache-dir -c constraints.txt --no-build-isolation sam2
COPY api_schemas api_schemas
COPY client client
COPY job_store job_store
COPY runtime runtime
COPY workers workers
RUN /opt/addit/bin/pip install --no-cache-dir -c constraints.txt '.[worker]'

FROM nvidia/cuda:13.0.2-base-ubuntu24.04
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin addit \
    && install -d -o addit -g addit /data/artifacts /data/models
COPY --from=build /opt/addit /opt/addit
ENV PATH=/opt/addit/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp HF_HOME=/data/models GOMP_SPINCOUNT=30000 ADDIT_ARTIFACT_URL=file:///data/artifacts
USER 10001
WORKDIR /tmp
# The supervisor watches its engine and ends when that keeps dying; here it only has to have one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m CMD ["grep", "-q", ".", "/proc/1/task/1/children"]
CMD ["python", "-m", "workers"]
