# The studio: pages, and the client they speak to the gateway with. Neither the store's packages nor torch.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY api_schemas api_schemas
COPY client client
COPY studio studio
RUN python -m venv /opt/addit && /opt/addit/bin/pip install --no-cache-dir -c constraints.txt '.[studio]'

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin addit
COPY --from=build /opt/addit /opt/addit
ENV PATH=/opt/addit/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp ADDIT_STUDIO_HOST=0.0.0.0
USER 10001
WORKDIR /tmp
EXPOSE 7860
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, httpx; httpx.get('http://127.0.0.1:' + os.environ.get('ADDIT_STUDIO_PORT', '7860')).raise_for_status()"]
CMD ["python", "-m", "studio"]
