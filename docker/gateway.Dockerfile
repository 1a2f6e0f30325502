# The gateway, and the background process (webhooks, reconciler): the same packages, another command. No torch.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY api_schemas api_schemas
COPY client client
COPY job_store job_store
COPY runtime runtime
COPY service service
COPY workers/*.py workers/
RUN python -m venv /opt/addit && /opt/addit/bin/pip install --no-cache-dir -c constraints.txt '.[gateway,background]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin addit \
    && install -d -o addit -g addit /data/artifacts
COPY --from=build /opt/addit /opt/addit
ENV PATH=/opt/addit/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp ADDIT_HOST=0.0.0.0 ADDIT_ADMIN_HOST=0.0.0.0 ADDIT_ARTIFACT_URL=file:///data/artifacts
USER 10001
WORKDIR /tmp
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import httpx; from runtime.settings import Settings; httpx.get(f'http://127.0.0.1:{Settings().port}/livez').raise_for_status()"]
CMD ["python", "-m", "service"]
