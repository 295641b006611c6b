FROM python:3.11-slim AS build
COPY . /src
RUN pip wheel --no-cache-dir --wheel-dir /wheels /src

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels panelsms-sandbox && rm -r /wheels
ENV PANELSMS_SANDBOX_HOST=0.0.0.0
USER nobody
EXPOSE 7670
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["panelsms-sandbox", "health"]
ENTRYPOINT ["panelsms-sandbox"]
